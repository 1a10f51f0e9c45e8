"""The process that a run has for itself. Imported by the server that these processes are forked from."""

import faulthandler
import logging
import os
import sys
import time
from multiprocessing.connection import Connection
from threading import Thread

from ..common import interruption, platform
from ..common.quiet import import_tensorflow
from ..runs.directory import RunDirectory
from ..runs.lease import claim
from .run_job import GRACE, UNWRITABLE, Work

import_tensorflow()

import tensorflow as tf  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

from ..training.run import run  # noqa: E402


def do(work: Work, begun: Connection) -> None:
    """Does the work, if nobody else is at it.

    Args:
        work: what to do.
        begun: closed when the work begins.
    """
    begun.close()
    try:
        interruption.listen(once=True)
        platform.ignore_user_signal()  # meant for the process that waits for this one
        Thread(target=_end_with_parent, daemon=True).start()
        os.chdir(work.cwd)
        threads = work.config.trainer.threads
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        with threadpool_limits(threads), claim(work.path) as ours:
            directory = RunDirectory(work.path)
            if ours and directory.is_to_run(work.config):  # somebody else may just have finished it
                _keep_what_is_said(work)
                run(work.config, directory, work.overrides, work.alone)
    except KeyboardInterrupt:
        pass  # it is written down
    except OSError:  # of the directory: what else befalls a run is written down there
        sys.exit(UNWRITABLE)


def _end_with_parent() -> None:
    """Ask this process to end once no other process waits for it, and then end it."""
    platform.wait_for_parent_to_end()
    platform.interrupt_this_process()
    time.sleep(GRACE)
    platform.kill(os.getpid())


def _keep_what_is_said(work: Work) -> None:
    """The log into `train.log`; also what libraries print and a crash's last words, unless a terminal shows them."""
    log = (work.path / "train.log").open("a", encoding="utf-8")
    if not work.alone:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())
    faulthandler.enable(log)
    layout = "[%(asctime)s][%(name)s][%(levelname)s] %(message)s"
    logging.basicConfig(stream=log, level=logging.INFO, format=layout, force=True)
