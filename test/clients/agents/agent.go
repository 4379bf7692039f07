// An agent that does what its stdin says, a command a line, and says when the call returned.
package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"shiplog"
)

func main() {
	signal.Ignore(syscall.SIGXFSZ) // a write fails, and does not end the process
	if limit := os.Getenv("AGENT_FILE_LIMIT"); limit != "" {
		limitFiles(number(limit))
	}
	bytes, _ := strconv.Atoi(os.Getenv("SHIPLOG_QUEUE_BYTES"))
	client, err := shiplog.New(shiplog.Options{
		URL:        os.Getenv("SHIPLOG_URL"),
		Token:      os.Getenv("SHIPLOG_TOKEN"),
		TokenFile:  os.Getenv("SHIPLOG_TOKEN_FILE"),
		Spool:      os.Getenv("SHIPLOG_SPOOL"),
		QueueBytes: bytes,
		Source:     "go-agent/1",
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var step *shiplog.Step
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := append(strings.SplitN(input.Text(), "\t", 5), "", "", "", "")
		began := time.Now()
		result := any("")
		switch words[0] {
		case "start":
			client.Task(words[1]).Start(shiplog.TaskInfo{Service: words[2], Version: words[3]})
		case "finish":
			client.Task(words[1]).Finish(words[2], "")
		case "step":
			step = client.Task(words[1]).Host(words[2]).Step(words[3], 1)
		case "running":
			step.Running(words[1], nil)
		case "line":
			step.Line(words[1], shiplog.Stderr, "WARN")
		case "lines":
			for i := number(words[1]); i <= number(words[2]); i++ {
				step.Line(fmt.Sprintf("line %d", i), shiplog.Stdout, "")
			}
		case "alternate": // two steps at the same time
			host := client.Task(words[1]).Host("web-1")
			steps := []*shiplog.Step{host.Step("download", 1), host.Step("build", 1)}
			for i := 1; i <= number(words[2]); i++ {
				steps[i%2].Line(fmt.Sprintf("line %d", i), shiplog.Stdout, "")
			}
			for _, each := range steps {
				each.Succeeded()
			}
		case "long":
			step.Line(strings.Repeat("x", number(words[1])), shiplog.Stdout, "")
		case "write": // without an end of line
			output := step.Writer(shiplog.Stdout)
			output.Write([]byte(strings.Repeat(words[1], number(words[2]))))
			output.Close()
		case "progress":
			step.Progress(measure(words[1]), measure(words[2]), words[3])
		case "succeeded":
			step.Succeeded()
		case "failed":
			step.Failed(shiplog.Failure{Message: words[2], ExitCode: number(words[1])})
		case "terminated":
			command := exec.Command("sh", "-c", "kill -TERM $$")
			err := command.Run()
			step.Failed(shiplog.Failure{Message: err.Error(), ExitCode: shiplog.ExitCode(command.ProcessState)})
		case "chdir":
			if err := os.Chdir(words[1]); err != nil {
				panic(err)
			}
		case "odd": // what a deployment may have in its hands without knowing
			client.Task(words[1]).Start(shiplog.TaskInfo{
				Service: "shop\xff",
				Labels:  map[string]any{"n": math.NaN()},
			})
			host := client.Task(words[1]).Host("web-\xff")
			host.Step("download", 1).Running("make", map[string]any{"n": math.NaN()})
			step = client.Task(words[1]).Host("web-\xfe").Step("download", 1)
			step.Running("make \xff", map[string]any{"bad": panics{}})
			step.Line("bytes \xff", shiplog.Stdout, "")
		case "limit":
			limitFiles(number(words[1]))
		case "flush":
			result = client.Flush(time.Duration(number(words[1])) * time.Second)
		case "close":
			result = client.Close(time.Duration(number(words[1])) * time.Second)
		}
		fmt.Println("done", words[0], time.Since(began).Milliseconds(), result)
	}
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("not today") }

// As if the disk were full; -1: there is room again.
func limitFiles(size int) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	limit.Cur = limit.Max
	if size >= 0 {
		limit.Cur = uint64(size)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
}

func measure(text string) float64 {
	value, _ := strconv.ParseFloat(text, 64)
	return value
}

func number(text string) int {
	value, _ := strconv.Atoi(text)
	return value
}
