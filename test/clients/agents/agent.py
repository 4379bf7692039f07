"""An agent that does what its stdin says, a command a line, and says when the call returned."""

import os
import sys
import time

import shiplog

client = shiplog.Client(
    os.environ["SHIPLOG_URL"],
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
    elif name == "long":
        step.line("x" * int(words[0]), shiplog.STDOUT)
    elif name == "progress":
        step.progress(int(words[0]), int(words[1]), words[2])
    elif name == "succeeded":
        step.succeeded()
    elif name == "failed":
        step.failed(words[1], exit_code=int(words[0]))
    elif name == "flush":
        result = str(client.flush(float(words[0]))).lower()
    elif name == "close":
        result = client.close(float(words[0]))
    print("done", name, int((time.monotonic() - began) * 1000), result, flush=True)
