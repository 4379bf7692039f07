package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"shiplog"
)

// A host is a directory, a step a script that runs in it.
type runner struct {
	client         *shiplog.Client
	hosts, scripts string
}

// What a script leaves running may hold its output open.
const outputAtTheEnd = time.Second

var name = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

func (r runner) knows(host, step string) bool {
	if !name.MatchString(host) || !name.MatchString(step) {
		return false
	}
	_, noHost := os.Stat(filepath.Join(r.hosts, host))
	_, noStep := os.Stat(r.script(step))
	return noHost == nil && noStep == nil
}

func (r runner) script(step string) string { return filepath.Join(r.scripts, step+".sh") }

func (r runner) run(ordered order, host, stepName string) outcome {
	step := r.client.Task(ordered.TaskID).Host(host).Step(stepName, 1)
	var why lastLine
	stdout, stderr := step.Writer(shiplog.Stdout), step.Writer(shiplog.Stderr)
	command := exec.Command("sh", r.script(stepName))
	command.Dir = filepath.Join(r.hosts, host)
	command.Env = append(os.Environ(), "HOST="+host, "VERSION="+ordered.Version)
	command.Stdout, command.Stderr = stdout, io.MultiWriter(stderr, &why)
	command.WaitDelay = outputAtTheEnd

	step.Running(command.String(), map[string]any{"version": ordered.Version})
	err := command.Run()
	stdout.Close()
	stderr.Close()
	// What the script left running holds its output: the step is over all the same.
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		step.Succeeded()
		return outcome{}
	}
	failure := shiplog.Failure{Message: why.text(), ExitCode: command.ProcessState.ExitCode()}
	if failure.Message == "" {
		failure.Message = err.Error()
	}
	step.Failed(failure)
	return outcome{failure.ExitCode, failure.Message}
}

// What was printed last on stderr says most about a failure.
type lastLine struct {
	mu   sync.Mutex
	tail []byte
}

const tailBytes = 4096

func (l *lastLine) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, data...)
	if over := len(l.tail) - tailBytes; over > 0 {
		l.tail = bytes.Clone(l.tail[over:])
	}
	return len(data), nil
}

func (l *lastLine) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(l.tail)), "\n")
	return lines[len(lines)-1]
}
