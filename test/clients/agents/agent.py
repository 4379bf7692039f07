"""An agent that does what its stdin says, a command a line, and says when the call returned."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time

import shiplog

def limit_files(size):
    """As if the disk were full; -1: there is room again."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


class Interrupted(dict):
    """A signal comes while this is read."""

    def items(self):
        signal.raise_signal(signal.SIGUSR1)
        return super().items()


class Slow(dict):
    """Is read until somebody lets it go."""

    def __init__(self, **said):
        super().__init__(**said)
        self.begun, self.may_end = threading.Event(), threading.Event()

    def items(self):
        self.begun.set()
        self.may_end.wait()
        return super().items()


def fork():
    """While another thread reports. How the child ends that does as its parent would."""
    params = Slow(by="a thread")
    thread = threading.Thread(target=step.running, kwargs={"params": params})
    thread.start()
    params.begun.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        with client:
            client.task("child").start()
            step.line("in the child")
            step.succeeded()
            client.flush(1)
            sys.exit(0)
    _, status = os.waitpid(child, 0)
    params.may_end.set()
    thread.join()
    return status


def say_so(*_):
    step.line("in the middle")
    step.line("of a report")


def end(*_):
    step.failed("interrupted")
    client.close(20)
    sys.exit(3)


limit_files(int(os.environ.get("AGENT_FILE_LIMIT", -1)))
shiplog.CALL_TIMEOUT = float(os.environ.get("AGENT_CALL_TIMEOUT", shiplog.CALL_TIMEOUT))
client = shiplog.Client(
    os.environ["SHIPLOG_URL"],
    token=os.environ.get("SHIPLOG_TOKEN"),
    token_file=os.environ.get("SHIPLOG_TOKEN_FILE"),
    spool=os.environ["SHIPLOG_SPOOL"],
    queue_bytes=int(os.environ.get("SHIPLOG_QUEUE_BYTES", shiplog.QUEUE_BYTES)),
    source="python-agent/1",
)
step = None
for command in sys.stdin:
    name, *words = command.rstrip("\n").split("\t")
    began = time.monotonic()
    result = ""
    if name == "start":
        client.task(words[0]).start(service=words[1], version=words[2])
    elif name == "finish":
        client.task(words[0]).finish(words[1])
    elif name == "step":
        step = client.task(words[0]).host(words[1]).step(words[2])
    elif name == "running":
        step.running(command=words[0])
    elif name == "line":
        step.line(words[0], shiplog.STDERR, "WARN")
    elif name == "lines":
        for i in range(int(words[0]), int(words[1]) + 1):
            step.line(f"line {i}", shiplog.STDOUT)
    elif name == "alternate":  # two steps at the same time
        steps = [client.task(words[0]).host("web-1").step(each) for each in ("download", "build")]
        for i in range(1, int(words[1]) + 1):
            steps[i % 2].line(f"line {i}", shiplog.STDOUT)
        for each in steps:
            each.succeeded()
    elif name == "long":
        step.line("x" * int(words[0]), shiplog.STDOUT)
    elif name == "progress":
        step.progress(float(words[0]), float(words[1]), words[2])
    elif name == "succeeded":
        step.succeeded()
    elif name == "failed":
        step.failed(words[1], exit_code=int(words[0]))
    elif name == "terminated":
        step.failed("terminated", exit_code=subprocess.call(["sh", "-c", "kill -TERM $$"]))
    elif name == "chdir":
        os.chdir(words[0])
    elif name == "odd":  # what a deployment may have in its hands without knowing
        client.task(words[0]).start(service=os.fsdecode(b"shop\xff"), labels={"set": {1}})
        step = client.task(words[0]).host(os.fsdecode(b"web-\xff")).step("download\ud800", 1)
        deep = []
        for _ in range(100_000):
            deep = [deep]
        step.running(command=b"make \xff", params={"path": os.fsdecode(b"/srv/\xff"), "n": float("nan")})
        step.running(command="make", params={"deep": deep, "set": {1}})
        step.line(b"bytes \xff", stream={1})
    elif name == "fork":
        result = fork()
    elif name == "orphan":  # leaves a child that lives on
        if os.fork() == 0:
            signal.pause()
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "interrupted":
        signal.signal(signal.SIGUSR1, {"say": say_so, "end": end}[words[0]])
        step.running(params=Interrupted(by="a signal"))
    elif name == "limit":
        limit_files(int(words[0]))
    elif name == "stderr":
        os.dup2(os.open(words[0], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), 2)
    elif name == "flush":
        result = str(client.flush(float(words[0]))).lower()
    elif name == "close":
        result = client.close(float(words[0]))
    print("done", name, int((time.monotonic() - began) * 1000), result, flush=True)
