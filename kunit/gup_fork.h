/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that shares anonymous memory with the test, for those KUnit suites of
 * get_user_pages() that are built in. kernel_clone() is not exported to modules.
 */
#ifndef _MM_TESTS_GUP_FORK_H
#define _MM_TESTS_GUP_FORK_H

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "gup_fixture.h"

/**
 * struct gup_child - a thread with a copy of the test's address space
 * @may_end: what it waits for
 * @ends: what it says last
 * @pid: its pid, or an errno
 */
struct gup_child {
	struct completion may_end;
	struct completion ends;
	pid_t pid;
};

static inline int gup_child_fn(void *arg)
{
	struct gup_child *child = arg;

	wait_for_completion(&child->may_end);
	kthread_complete_and_exit(&child->ends, 0);
	return 0;
}

/**
 * gup_fork() - fork, so that the test's anonymous pages are shared with a child
 * @test: the test context, which fails if there is no child; but it goes on
 * @child: what gup_fork_end() needs, which the caller must not miss
 */
static inline void gup_fork(struct kunit *test, struct gup_child *child)
{
	struct kernel_clone_args args = {
		.flags = CLONE_UNTRACED,
		.exit_signal = SIGCHLD,
		.kthread = 1,
		.fn = gup_child_fn,
		.fn_arg = child,
	};

	init_completion(&child->may_end);
	init_completion(&child->ends);
	child->pid = kernel_clone(&args);
	KUNIT_EXPECT_GT_MSG(test, child->pid, 0, "no child, but an errno");
}

/**
 * gup_fork_end() - have the child end
 * @child: the child
 *
 * Its references to pages may be there for a little longer.
 */
static inline void gup_fork_end(struct gup_child *child)
{
	complete(&child->may_end);
	if (child->pid > 0)
		wait_for_completion(&child->ends);
}

#endif /* _MM_TESTS_GUP_FORK_H */
