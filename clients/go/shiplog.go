//go:build unix

// Package shiplog reports what an agent does to Shiplog. It is one file without dependencies, to
// be copied into the agent.
//
// No call waits for the network. A call writes its event to a file in the spool directory and to
// a bounded queue; one goroutine delivers the queue in order and tries again until the server has
// it. Each event has an id from the beginning, so what is sent twice counts once: after a lost
// answer, and also when the agent was killed and the next one finds its file.
//
// When the queue is full the oldest output gives way, and an event says in its place how much it
// was. Ends of steps are kept.
package shiplog

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	mathrand "math/rand"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

const (
	callTimeout       = 5 * time.Second
	linger            = 100 * time.Millisecond // lines that come close together go in one request
	tick              = time.Second
	batchEvents       = 500
	batchBytes        = 512 << 10
	leastBatchBytes   = 4 << 10
	moreBytes         = 16 << 10 // with each request that went through after one that was too slow
	defaultQueueBytes = 8 << 20
	keptShare         = 0.75 // dropping down to this share of the queue makes it rare
	fullAgain         = 1.25 // where less could be dropped: when it has grown by so much
	lineBytes         = 65_536
	commandBytes      = 32_768
	shortText         = 500
	firstPause        = 100 * time.Millisecond
	longestPause      = 10 * time.Second
	longestAsked      = time.Minute
	longestLastPause  = 500 * time.Millisecond // between two tries while somebody waits in Flush
	signsBeforeStale  = 3
	leastSign         = time.Second
	progressEvery     = 250 * time.Millisecond
	mostComplaints    = 20
	numberBytes       = 100     // of a number that is remembered, besides its names
	leastRefusals     = 5       // in a row, before what a proxy refuses is tried without its texts
	refusedBytes      = 8 << 20 // of the file of what was set aside
	spoolWordEvery    = time.Minute
	leastLongestLine  = 1 << 20 // of a spool file; with a larger queue a line may be as long as that
)

// Streams of a line.
const (
	Stdout = "STDOUT"
	Stderr = "STDERR"
)

// Options of a client. Only URL is required.
type Options struct {
	// URL of the server, such as https://shiplog.example.org.
	URL string
	// Token to show; TokenFile is read at the start, and again when its token is refused.
	Token, TokenFile string
	// Spool is a directory for what is not delivered yet. Empty: what is not delivered when the
	// agent is killed is lost. Agents may share it; each has its own file in it.
	Spool string
	// QueueBytes bounds what waits in memory, and half of what its file takes. Default: 8 MiB.
	QueueBytes int
	// Source says who reports, such as "agent/1.4.2".
	Source string
	// Complain is told what went wrong with reporting; it must not call the client. Default: a line
	// on stderr.
	Complain func(text string)
}

// Client delivers events in the background. Its methods may be called by any goroutine.
type Client struct {
	options Options
	writer  string
	http    *http.Client
	ctx     context.Context // ends when Close gives up
	giveUp  context.CancelFunc
	done    chan struct{} // closed when the last delivery is over
	news    chan struct{} // something came into an empty queue
	urgent  chan struct{} // what waits for company should go
	hurry   chan struct{} // somebody waits: end a pause between two tries

	patience int // with what a proxy refuses; only of the goroutine that delivers

	mu         sync.Mutex
	queue      []entry
	bytes      int
	fullAt     int
	inFlight   int // so many from the first were sent, and may be stored: they must stay
	isUrgent   bool
	closing    bool
	waiting    int           // calls of Flush
	drained    chan struct{} // nil: nobody waits
	sequences  map[[2]string]int
	numbered   int // bytes that these take, about
	events     int
	running    map[*Step]struct{}
	staleAfter time.Duration
	spool      *spool
	adopted    []adopted // until their events are in the spool of our own
	token      string

	complaints struct {
		sync.Mutex
		count      int
		isTroubled bool // the trouble that lasts was said
	}
}

// New starts a client, and adopts what killed agents left in the spool directory. An error says
// what is wrong with the options or the directory; a server that is away is none.
func New(options Options) (*Client, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	if options.QueueBytes == 0 {
		options.QueueBytes = defaultQueueBytes
	}
	if options.Complain == nil {
		options.Complain = complainOnStderr
	}
	ctx, giveUp := context.WithCancel(context.Background())
	c := &Client{
		options: options,
		fullAt:  options.QueueBytes,
		writer:  newID(),
		http: &http.Client{
			Timeout:       callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		ctx:        ctx,
		giveUp:     giveUp,
		done:       make(chan struct{}),
		news:       make(chan struct{}, 1),
		urgent:     make(chan struct{}, 1),
		hurry:      make(chan struct{}, 1),
		sequences:  map[[2]string]int{},
		running:    map[*Step]struct{}{},
		staleAfter: 5 * time.Minute,
		patience:   leastRefusals,
		token:      options.Token,
	}
	c.readToken()
	if options.Spool != "" {
		if err := c.openSpool(); err != nil {
			giveUp()
			return nil, err
		}
	}
	go c.deliver()
	return c, nil
}

func (o *Options) check() error {
	o.URL = strings.TrimRight(o.URL, "/")
	address, err := url.Parse(o.URL)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Hostname() == "" {
		return fmt.Errorf("shiplog: URL must begin with http:// or https:// and a host, not %q", o.URL)
	}
	o.Token = strings.TrimSpace(o.Token)
	if !isToken(o.Token) {
		return errors.New("shiplog: Token is what no token can be")
	}
	// The agent may go to another directory later.
	for _, path := range []*string{&o.TokenFile, &o.Spool} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return fmt.Errorf("shiplog: %w", err)
		}
	}
	return nil
}

// Flush waits until everything that was reported is delivered, at most so long; it says whether it is.
func (c *Client) Flush(atMost time.Duration) bool {
	c.mu.Lock()
	if len(c.queue) == 0 {
		c.mu.Unlock()
		return true
	}
	if c.drained == nil {
		c.drained = make(chan struct{})
	}
	empty := c.drained
	c.waiting++
	c.mu.Unlock()
	wake(c.urgent)
	wake(c.hurry)
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	isEmpty := false
	select {
	case <-empty:
		isEmpty = true
	case <-timer.C:
	}
	c.mu.Lock()
	c.waiting--
	c.mu.Unlock()
	return isEmpty
}

// Close waits for deliveries at most so long, then stops. It returns how many events were not
// delivered: with a spool directory, the next agent delivers them.
func (c *Client) Close(atMost time.Duration) int {
	c.mu.Lock()
	c.closing = true
	c.running = map[*Step]struct{}{}
	c.mu.Unlock()
	wake(c.news)
	c.Flush(atMost)
	c.giveUp()
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spool != nil {
		c.closeSpool()
	}
	return len(c.queue)
}

// Task names a deployment.
func (c *Client) Task(id string) Task { return Task{c, cleaned(id, lineBytes)} }

// A Task is a deployment, by the release system's id.
type Task struct {
	client *Client
	id     string
}

// TaskInfo is what can be said of a task at its start; all of it is optional.
type TaskInfo struct {
	Service     string         `json:"service,omitempty"`
	Version     string         `json:"version,omitempty"`
	Environment string         `json:"environment,omitempty"`
	CreatedBy   string         `json:"createdBy,omitempty"`
	Plan        []string       `json:"plan,omitempty"`
	Hosts       []string       `json:"hosts,omitempty"`
	Labels      map[string]any `json:"labels,omitempty"`
}

const (
	startTask  = `mutation ($input: StartTaskInput!) { startTask(input: $input) { task { id } } }`
	finishTask = `mutation ($input: FinishTaskInput!) { finishTask(input: $input) { task { id } } }`
)

// Start declares the task. A task that is not declared begins with its first event.
func (t Task) Start(info TaskInfo) {
	if _, err := encode(info.Labels); err != nil {
		t.client.complain("labels were left out: " + err.Error())
		info.Labels = nil
	}
	t.client.mutate(startTask, struct {
		ID string `json:"id"`
		At string `json:"at"`
		TaskInfo
	}{t.id, now(), info})
}

// Finish ends the task, after everything that was reported before. Without a status (SUCCEEDED,
// PARTIAL, FAILED, CANCELLED) it follows from the hosts.
func (t Task) Finish(status, message string) {
	t.client.mutate(finishTask, struct {
		ID      string `json:"id"`
		At      string `json:"at"`
		Status  string `json:"status,omitempty"`
		Message string `json:"message,omitempty"`
	}{t.id, now(), status, cleaned(message, lineBytes)})
}

// Host names a host of the task.
func (t Task) Host(name string) Host { return Host{t, cleaned(name, lineBytes)} }

// A Host is one that a task deploys to.
type Host struct {
	task Task
	name string
}

// Step names a step on the host; attempts count from 1.
func (h Host) Step(name string, attempt int) *Step {
	return &Step{host: h, name: cleaned(name, lineBytes), attempt: attempt, began: time.Now()}
}

// A Step is one attempt of one step on one host.
type Step struct {
	host      Host
	name      string
	attempt   int
	began     time.Time // guarded by the client's mutex, as all below
	lastEvent time.Time
	chance    float64 // so that fleets do not speak at once
	progress  time.Time
}

// Failure says why a step failed. ExitCode 0: there is none.
type Failure struct {
	Message  string
	Code     string
	ExitCode int
}

// Running says that the step began, by which command and with which parameters (or "" and nil).
// From now on it is said to live while it is silent, until one of the ends below.
func (s *Step) Running(command string, params map[string]any) {
	c := s.host.task.client
	c.mu.Lock()
	defer c.mu.Unlock() // only then may a sign of life follow
	s.began = time.Now()
	s.chance = mathrand.Float64()
	c.running[s] = struct{}{}
	c.report(s, event{Status: "RUNNING", Command: cleaned(command, commandBytes), Params: params})
}

// Line reports output: a line, or several in one text. Stream and level ("INFO", "ERROR", …) may be "".
func (s *Step) Line(text, stream, level string) {
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		message := cleaned(strings.TrimRight(line, "\r"), lineBytes)
		s.report(event{Message: &message, Stream: stream, Level: level})
	}
}

// Writer makes lines of what is written to it, for exec.Cmd. Close reports a last line without an end.
func (s *Step) Writer(stream string) io.WriteCloser { return &lineWriter{step: s, stream: stream} }

// Progress says how much is done; total 0: not known. Of many in a short time some are left out.
func (s *Step) Progress(done, total float64, unit string) {
	c := s.host.task.client
	if !isFinite(done) {
		c.complain(fmt.Sprintf("progress was left out: %v is no number", done))
		return
	}
	if !isFinite(total) {
		total = 0
	}
	c.mu.Lock()
	isTooSoon := time.Since(s.progress) < progressEvery && done != total
	if !isTooSoon {
		s.progress = time.Now()
	}
	c.mu.Unlock()
	if !isTooSoon {
		s.report(event{Progress: &progress{done, total, cleaned(unit, shortText)}})
	}
}

// Succeeded ends the step.
func (s *Step) Succeeded() { s.end(event{Status: "SUCCEEDED", ExitCode: new(int)}) }

// Failed ends the step. The message is what a person reads first: put the reason there.
func (s *Step) Failed(why Failure) { s.end(failed("FAILED", why)) }

// TimedOut ends the step.
func (s *Step) TimedOut(why Failure) { s.end(failed("TIMED_OUT", why)) }

// Cancelled ends the step.
func (s *Step) Cancelled(why string) { s.end(event{Status: "CANCELLED", Message: optional(why)}) }

// Skipped ends the step without it having been done.
func (s *Step) Skipped(why string) { s.end(event{Status: "SKIPPED", Message: optional(why)}) }

// ExitCode is what a shell says of a process that has ended: where a signal ended it, 128 and its number. 0 of one
// that could not be started.
func ExitCode(state *os.ProcessState) int {
	if state == nil {
		return 0
	}
	if status, isUnix := state.Sys().(syscall.WaitStatus); isUnix && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func failed(status string, why Failure) event {
	e := event{Status: status}
	if why.ExitCode != 0 {
		e.ExitCode = &why.ExitCode
	}
	if why.Message != "" {
		e.Error = &failure{cleaned(why.Message, commandBytes), cleaned(why.Code, 256)}
	}
	return e
}

func (s *Step) end(e event) {
	c := s.host.task.client
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, s)
	e.DurationMs = durationOf(time.Since(s.began))
	c.report(s, e)
}

func (s *Step) report(e event) {
	c := s.host.task.client
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report(s, e)
}

// What Shiplog takes at POST /v1/events.
type event struct {
	identity
	Attempt    int            `json:"attempt"`
	At         string         `json:"at"`
	Source     string         `json:"source,omitempty"`
	Status     string         `json:"status,omitempty"`
	Message    *string        `json:"message,omitempty"`
	Stream     string         `json:"stream,omitempty"`
	Level      string         `json:"level,omitempty"`
	Command    string         `json:"command,omitempty"`
	Params     map[string]any `json:"params,omitempty"`
	Progress   *progress      `json:"progress,omitempty"`
	ExitCode   *int           `json:"exitCode,omitempty"`
	DurationMs *int64         `json:"durationMs,omitempty"`
	Error      *failure       `json:"error,omitempty"`
}

type identity struct {
	TaskID   string `json:"taskId"`
	Host     string `json:"host"`
	Step     string `json:"step"`
	EventID  string `json:"eventId"`
	Writer   string `json:"writer"`
	Sequence int    `json:"sequence"`
}

type progress struct {
	Done  float64 `json:"done"`
	Total float64 `json:"total,omitempty"`
	Unit  string  `json:"unit,omitempty"`
}

type failure struct {
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
}

type mutation struct {
	Query     string `json:"query"`
	Variables struct {
		Input any `json:"input"`
	} `json:"variables"`
}

// What gives way first when the queue is full.
const (
	output = iota
	beginning
	ending
)

// An entry of the queue: a line of the spool file and of a request.
type entry struct {
	line       []byte
	kind       int
	isMutation bool
	event      *event // of output: whom a notice in its place is about
	stands     int    // so many events it stands for
}

// Needs the mutex.
func (c *Client) report(s *Step, e event) {
	key := [2]string{s.host.task.id, s.host.name}
	if _, isKnown := c.sequences[key]; !isKnown {
		c.remember(key)
	}
	e.identity = identity{
		TaskID:   s.host.task.id,
		Host:     s.host.name,
		Step:     s.name,
		EventID:  c.writer + "-" + strconv.Itoa(c.events+1),
		Writer:   c.writer,
		Sequence: c.sequences[key] + 1,
	}
	e.Attempt, e.At, e.Source = s.attempt, now(), c.options.Source
	s.lastEvent = time.Now()
	entry, err := entryOf(e)
	if err != nil { // params that are no JSON
		c.complain("params were left out: " + err.Error())
		e.Params = nil
		entry, err = entryOf(e)
	}
	if err != nil {
		c.complain("an event was left out: " + err.Error())
		return
	}
	// Only now, for a number that is taken and not sent would be a hole.
	c.sequences[key]++
	c.events++
	c.add(entry)
}

// Numbers are remembered for each task and host, within the bound of the queue: then another writer begins.
func (c *Client) remember(key [2]string) {
	c.numbered += len(key[0]) + len(key[1]) + numberBytes
	if c.numbered > c.options.QueueBytes {
		c.writer, c.sequences, c.numbered = newID(), map[[2]string]int{}, 0
	}
}

func (c *Client) mutate(query string, input any) {
	m := mutation{Query: query}
	m.Variables.Input = input
	c.mu.Lock()
	defer c.mu.Unlock()
	line, err := encode(m)
	if err != nil {
		c.complain("a task was not reported: " + err.Error())
		return
	}
	c.add(entry{line: line, kind: ending, isMutation: true})
}

func entryOf(e event) (entry, error) {
	line, err := encode(e)
	switch {
	case e.Status == "" || e.Level == "TRACE":
		e.Command, e.Params, e.Message = "", nil, nil
		return entry{line: line, kind: output, event: &e, stands: 1}, err
	case e.Status == "RUNNING":
		return entry{line: line, kind: beginning, event: &e, stands: 1}, err
	}
	return entry{line: line, kind: ending}, err
}

// Of a line in a spool file.
func readEntry(line []byte) (entry, error) {
	var either struct {
		event
		Query string `json:"query"`
	}
	if err := json.Unmarshal(line, &either); err != nil {
		return entry{}, err
	}
	if either.Query != "" {
		return entry{line: line, kind: ending, isMutation: true}, nil
	}
	if either.TaskID == "" {
		return entry{}, errors.New("it has no taskId")
	}
	e, err := entryOf(either.event)
	e.line, e.stands = line, standsFor(either.Message)
	return e, err
}

// Needs the mutex. Never waits for the network.
func (c *Client) add(e entry) {
	c.queue = append(c.queue, e)
	c.bytes += len(e.line) + 1
	if c.spool != nil {
		if err := c.spool.append(e.line, 4*max(c.options.QueueBytes, c.bytes)); err != nil {
			c.spoolTrouble(err)
		} else {
			c.completeSpool()
		}
	}
	if c.bytes > c.fullAt {
		c.makeRoom()
	} else if c.spool != nil && c.spool.size > 2*max(c.options.QueueBytes, c.bytes) {
		c.rewriteSpool()
	}
	wake(c.news)
	if e.kind != output || len(c.queue) >= batchEvents {
		c.isUrgent = true
		wake(c.urgent)
	}
}

// Output becomes a notice for each step, then beginnings do; where they and the ends are twice too
// many, the oldest goes, whatever it is.
func (c *Client) makeRoom() {
	least := int(float64(c.options.QueueBytes) * keptShare)
	for kind := output; kind <= beginning && c.bytes > c.options.QueueBytes; kind++ {
		c.merge(kind, least)
	}
	if c.bytes > 2*c.options.QueueBytes {
		c.dropOldest(least)
	}
	// It takes a look at each entry, so not for each one that comes.
	c.fullAt = max(c.options.QueueBytes, int(float64(c.bytes)*fullAgain))
	if c.spool != nil {
		c.rewriteSpool()
	}
}

func (c *Client) merge(kind, downTo int) {
	kept := c.queue[:c.inFlight:c.inFlight]
	places := map[whose]int{}
	merged := map[int]int{}
	for i := c.inFlight; i < len(c.queue); i++ {
		e := c.queue[i]
		// The newest stays: what is printed last says most about a failure.
		if c.bytes <= downTo || e.kind > kind || i == len(c.queue)-1 {
			kept = append(kept, e)
			continue
		}
		place, isKnown := places[e.whose()]
		if isKnown {
			c.bytes -= len(e.line) + 1
			merged[place] += e.stands
			continue
		}
		places[e.whose()] = len(kept)
		// Where a notice is no shorter, it is worth one only together with others.
		if notice := e.notice(0); len(notice.line) < len(e.line) {
			c.bytes -= len(e.line) - len(notice.line)
			e = notice
		}
		kept = append(kept, e)
	}
	for place, stands := range merged {
		c.bytes -= len(kept[place].line)
		kept[place] = kept[place].notice(stands)
		c.bytes += len(kept[place].line)
	}
	c.queue = kept
}

func (c *Client) dropOldest(downTo int) {
	kept := c.queue[:c.inFlight:c.inFlight]
	for i := c.inFlight; i < len(c.queue); i++ {
		if c.bytes <= downTo || i == len(c.queue)-1 {
			kept = append(kept, c.queue[i:]...)
			break
		}
		c.bytes -= len(c.queue[i].line) + 1
	}
	if count := len(c.queue) - len(kept); count > 0 {
		c.complain(fmt.Sprintf("the oldest %d events were dropped, ends of steps among them: "+
			"the queue holds little else", count))
	}
	c.queue = kept
}

// Of which step an entry is, for those that a notice may be about.
type whose struct {
	taskID, host, step, writer string
	attempt                    int
}

func (e entry) whose() whose {
	return whose{e.event.TaskID, e.event.Host, e.event.Step, e.event.Writer, e.event.Attempt}
}

const dropped = "events of output were dropped here: they could not be delivered in time"

// It has the place and the number of the first event that it stands for.
func (e entry) notice(more int) entry {
	stands := e.stands + more
	text := fmt.Sprintf("[shiplog] %d %s", stands, dropped)
	of := event{
		identity: e.event.identity,
		Attempt:  e.event.Attempt,
		At:       e.event.At,
		Source:   e.event.Source,
		Level:    "WARN",
		Message:  &text,
	}
	line, _ := encode(of)
	return entry{line: line, kind: output, event: &of, stands: stands}
}

// How many events a message stands for: a notice of an agent before says so.
func standsFor(message *string) int {
	stands := 0
	if message != nil && strings.HasSuffix(*message, dropped) {
		_, _ = fmt.Sscanf(*message, "[shiplog] %d "+dropped, &stands)
	}
	return max(1, stands)
}

// The one goroutine that speaks to the server.
func (c *Client) deliver() {
	defer close(c.done)
	// As far as it may grow: a proxy that takes little takes little tomorrow, too. And what is on its way cannot give
	// way: it must leave room for the newest.
	most := min(batchBytes, c.options.QueueBytes/4)
	limit := limits{batchEvents, most}
	failures, refusals := 0, 0
	for c.ctx.Err() == nil {
		batch, isOver := c.take(limit)
		if isOver {
			return
		}
		if len(batch) == 0 {
			continue
		}
		answer := c.send(batch)
		switch {
		case answer.isDone:
			c.remove(answer.taken)
			limit.events = batchEvents
			limit.bytes = min(most, limit.bytes+moreBytes)
			failures, refusals = 0, 0
		case answer.status == http.StatusRequestEntityTooLarge && len(batch) > 1:
			most = max(leastBatchBytes, min(limit.bytes, sizeOf(batch))/2)
			limit = limits{max(1, len(batch)/2), most}
		case answer.isRefused && len(batch) > 1: // one of them is to blame: which?
			limit.events = max(1, len(batch)/2)
		case answer.status == http.StatusRequestEntityTooLarge:
			c.shorten(answer.problem)
		case answer.isRefused:
			c.complain("an event was dropped: " + answer.problem)
			c.remove(1)
		default:
			c.remove(answer.taken)
			failures++
			if answer.isSlow {
				limit.bytes = sizeOf(batch) / 2
			}
			if answer.isAuth && c.readToken() {
				continue
			}
			if !answer.isForeign {
				refusals = 0
			} else if refusals++; len(batch) > 1 { // what does it refuse?
				limit.events = max(1, len(batch)/2)
			} else if refusals >= c.patience && c.isPastRefusal(batch[0]) {
				failures, refusals = 0, 0
				continue
			}
			c.pause(failures, answer)
		}
	}
}

type limits struct{ events, bytes int }

// Waits for news. Those that it returns stay in the queue until they are removed.
func (c *Client) take(limit limits) (batch []entry, isOver bool) {
	c.mu.Lock()
	isEmpty, isUrgent, isClosing := len(c.queue) == 0, c.isUrgent, c.closing
	c.mu.Unlock()
	if isEmpty {
		if isClosing {
			return nil, true
		}
		c.wait(c.news, tick)
		c.saySignsOfLife()
		return nil, false
	}
	if !isUrgent && !isClosing {
		c.wait(c.urgent, linger)
	}
	c.saySignsOfLife()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.completeSpool()
	c.isUrgent = false
	size := 0
	for _, e := range c.queue {
		size += len(e.line) + 1
		if n := len(batch); n > 0 &&
			(n >= limit.events || size > limit.bytes || e.isMutation || batch[0].isMutation) {
			break
		}
		batch = append(batch, e)
	}
	c.isUrgent = len(batch) < len(c.queue)
	// Of what had no answer less may be sent now: all of it may be stored, and a notice with an id of it would be
	// refused as another event.
	c.inFlight = max(c.inFlight, len(batch))
	return batch, false
}

func (c *Client) remove(count int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.queue[:count] {
		c.bytes -= len(e.line) + 1
	}
	c.queue = append([]entry(nil), c.queue[count:]...)
	c.inFlight = max(0, c.inFlight-count)
	c.fullAt = max(c.options.QueueBytes, min(c.fullAt, int(float64(c.bytes)*fullAgain)))
	if len(c.queue) > 0 {
		return
	}
	if c.spool != nil {
		if err := c.spool.empty(); err != nil {
			c.spoolTrouble(err)
		} else {
			c.letGoOfAdopted()
		}
	}
	if c.drained != nil {
		close(c.drained)
		c.drained = nil
	}
}

// One event that is too large by itself: its texts are cut, or it is left out.
func (c *Client) shorten(problem string) {
	c.mu.Lock()
	var e event
	old := c.queue[0]
	shorter := entry{}
	if !old.isMutation && json.Unmarshal(old.line, &e) == nil {
		if e.Message != nil && len(*e.Message) > shortText {
			text := fmt.Sprintf("[shiplog] a line of %d bytes was left out here: it is too large for the server", len(*e.Message))
			e.Message, e.Level = &text, "WARN"
		}
		e.Command, e.Params = cleaned(e.Command, shortText), nil
		if e.Error != nil {
			e.Error.Message = cleaned(e.Error.Message, shortText)
		}
		shorter, _ = entryOf(e)
	}
	if shorter.line == nil || len(shorter.line) >= len(old.line) {
		c.mu.Unlock()
		c.complain("an event was dropped: " + problem)
		c.remove(1)
		return
	}
	c.bytes += len(shorter.line) - len(old.line)
	c.queue[0] = shorter
	c.mu.Unlock()
}

// Where others get through, and the event does not.
func (c *Client) isPastRefusal(e entry) bool {
	if e.isMutation || !c.send(nil).isDone {
		return false
	}
	again := c.send([]entry{e})
	if again.isDone {
		c.remove(1) // it was about the moment
	}
	return again.isDone || again.isForeign && c.setAside(e, again.problem)
}

// Where the event gets through without its texts, these are what a proxy before the server refuses.
func (c *Client) setAside(e entry, problem string) bool {
	var without event
	if json.Unmarshal(e.line, &without) != nil {
		return false
	}
	text := "[shiplog] an event was set aside here: a proxy before the server refuses its text"
	without.EventID += "-refused"
	without.Command, without.Params = "", nil
	if without.Progress != nil {
		without.Progress.Unit = ""
	}
	if without.Error != nil {
		without.Error = &failure{Message: text}
	} else {
		without.Message = &text
	}
	if without.Status == "" {
		without.Level = "WARN"
	}
	instead, err := entryOf(without)
	if err != nil || !c.send([]entry{instead}).isDone {
		return false
	}
	kept := "it is lost"
	if path, err := c.keepRefused(e.line); err == nil {
		kept = "it is kept in " + path
	} else {
		kept += ": " + err.Error()
	}
	c.patience = 1 // it is known now
	c.complain("an event was set aside, which a proxy before the server refuses (" + problem + "): " + kept)
	c.remove(1)
	return true
}

func (c *Client) keepRefused(line []byte) (path string, err error) {
	if c.options.Spool == "" {
		return "", errors.New("there is no spool directory")
	}
	path = filepath.Join(c.options.Spool, "refused.ndjson")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return path, err
	}
	defer file.Close()
	if about, err := file.Stat(); err != nil || about.Size() > refusedBytes {
		return path, errors.Join(err, errors.New(path+" is full"))
	}
	_, err = file.Write(append(append([]byte(nil), line...), '\n'))
	return path, err
}

type answer struct {
	status     int
	isDone     bool // whatever became of each, it need not be sent again
	isRefused  bool // the same again would be refused again
	isForeign  bool // a page of something before the server, which may be about the content
	isAuth     bool
	isSlow     bool // it may get through in smaller pieces
	taken      int
	retryAfter time.Duration
	problem    string
}

func (c *Client) send(batch []entry) answer {
	path, contentType := "/v1/events", "application/x-ndjson"
	isMutation := len(batch) > 0 && batch[0].isMutation
	if isMutation {
		path, contentType = "/graphql", "application/json"
	}
	var body bytes.Buffer
	for _, e := range batch {
		body.Write(e.line)
		body.WriteByte('\n')
	}
	request, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.options.URL+path, &body)
	if err != nil {
		return answer{problem: err.Error()}
	}
	request.Header.Set("content-type", contentType)
	request.Header.Set("accept", "application/graphql-response+json, application/json")
	c.mu.Lock()
	if c.token != "" {
		request.Header.Set("authorization", "Bearer "+c.token)
	}
	c.mu.Unlock()
	response, err := c.http.Do(request)
	if err != nil {
		if c.ctx.Err() == nil {
			c.trouble(err)
		}
		return answer{problem: err.Error(), isSlow: isTimeout(err)}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	if err != nil {
		return answer{problem: err.Error(), isSlow: isTimeout(err)}
	}
	return c.read(response, content, len(batch), isMutation)
}

func isTimeout(err error) bool {
	var of net.Error
	return errors.As(err, &of) && of.Timeout()
}

// What /v1/events and /graphql answer.
type reply struct {
	Taken   int             `json:"taken"`
	Stored  *int            `json:"stored"`
	Data    *map[string]any `json:"data"`
	Results []struct {
		Outcome string   `json:"outcome"`
		Error   *failure `json:"error"`
	} `json:"results"`
	Error  *failure `json:"error"`
	Errors []struct {
		Message    string `json:"message"`
		Extensions struct {
			Code string `json:"code"`
		} `json:"extensions"`
	} `json:"errors"`
}

// Whether the server said it, and not a proxy before it, which answers 400, too, where a
// certificate is missing.
func (r reply) isRefusal() bool {
	return r.Results != nil || r.Error != nil && r.Error.Code != "" ||
		len(r.Errors) > 0 && r.Errors[0].Extensions.Code != ""
}

func (c *Client) read(response *http.Response, content []byte, count int, isMutation bool) answer {
	if ms, err := strconv.Atoi(response.Header.Get("shiplog-stale-after-ms")); err == nil && ms > 0 {
		c.mu.Lock()
		c.staleAfter = time.Duration(ms) * time.Millisecond
		c.mu.Unlock()
	}
	var said reply
	isRead := json.Unmarshal(content, &said) == nil
	// A page of a proxy may be JSON and a 200, too, and has stored nothing.
	isStored := said.Stored != nil && *said.Stored >= 0 && said.Error == nil
	if isMutation {
		isStored = said.Data != nil
	}
	isStored = isStored && len(said.Errors) == 0
	for _, result := range said.Results {
		if result.Outcome == "REJECTED" && result.Error != nil {
			c.complain("an event was rejected: " + result.Error.Code + ": " + result.Error.Message)
		}
	}
	a := answer{status: response.StatusCode, taken: max(0, min(said.Taken, count)), problem: response.Status}
	if said.Error != nil {
		a.problem += ": " + said.Error.Message
	}
	if len(said.Errors) > 0 {
		a.problem += ": " + said.Errors[0].Message
	}
	if seconds, err := strconv.Atoi(response.Header.Get("retry-after")); err == nil {
		a.retryAfter = min(longestAsked, time.Duration(seconds)*time.Second)
	}
	a.isForeign = !(isRead && said.isRefusal()) && isPage(response.StatusCode)
	switch status := response.StatusCode; {
	case isRead && (status == 200 && isStored || status == 422 && said.Results != nil):
		a.isDone, a.taken = true, count
		c.complaints.Lock()
		c.complaints.isTroubled = false
		c.complaints.Unlock()
		return a
	case status == 401 || status == 403:
		a.isAuth = true
	case status == 408:
		a.isSlow = true
	// A mistake in the request, and not in the address or the moment.
	case status == 413, (status == 400 || status == 415 || status == 422) && isRead && said.isRefusal():
		a.isRefused = true
		return a
	}
	c.trouble(errors.New(c.options.URL + " answered " + a.problem))
	return a
}

// Of a portal or a firewall; others are about the moment or the size.
func isPage(status int) bool {
	switch status {
	case 401, 407, 408, 413, 429:
		return false
	}
	return status < 500
}

// Between two tries: longer each time, as long as the server asks for, and not all agents at once.
func (c *Client) pause(failures int, a answer) {
	own := min(longestPause, firstPause<<min(failures-1, 10))
	own = own/2 + time.Duration(mathrand.Int63n(int64(own/2)+1))
	if a.retryAfter > 0 {
		own = a.retryAfter + own/2
	}
	c.mu.Lock()
	if c.waiting > 0 {
		own = min(own, longestLastPause)
	}
	c.mu.Unlock()
	until := time.Now().Add(own)
	for left := own; left > 0 && c.ctx.Err() == nil; left = time.Until(until) {
		isHurried := c.wait(c.hurry, min(tick, left))
		c.saySignsOfLife()
		c.mu.Lock()
		c.completeSpool()
		c.mu.Unlock()
		if isHurried {
			return
		}
	}
}

// Whether the signal came.
func (c *Client) wait(signal <-chan struct{}, atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-signal:
		return true
	case <-timer.C:
	case <-c.ctx.Done():
	}
	return false
}

// A silent step is shown as stale after a while, so RUNNING is repeated some times before.
func (c *Client) saySignsOfLife() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.running {
		share := (1 - s.chance/4) / signsBeforeStale
		if time.Since(s.lastEvent) < max(leastSign, time.Duration(float64(c.staleAfter)*share)) {
			continue
		}
		s.chance = mathrand.Float64()
		c.report(s, event{Status: "RUNNING", Level: "TRACE", DurationMs: durationOf(time.Since(s.began))})
	}
}

// Whether the token's file holds another token than the one that was shown.
func (c *Client) readToken() bool {
	if c.options.TokenFile == "" {
		return false
	}
	content, err := os.ReadFile(c.options.TokenFile)
	c.mu.Lock()
	defer c.mu.Unlock()
	token := strings.TrimSpace(string(content))
	if !isToken(token) {
		err = errors.New(c.options.TokenFile + ": it holds what is no token")
	}
	c.trouble(err)
	if err != nil || token == c.token {
		return false
	}
	c.token = token
	return true
}

func isToken(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func (c *Client) complain(text string) {
	c.complaints.Lock()
	defer c.complaints.Unlock()
	c.complaints.count++
	if c.complaints.count == mostComplaints {
		text += " (further complaints are not shown)"
	}
	if c.complaints.count <= mostComplaints {
		c.say(text)
	}
}

// What lasts is said once, and again after it was over.
func (c *Client) trouble(err error) {
	if err == nil {
		return
	}
	c.complaints.Lock()
	defer c.complaints.Unlock()
	if !c.complaints.isTroubled {
		c.complaints.isTroubled = true
		c.say(err.Error() + "; reporting goes on when it is over")
	}
}

// Needs the mutex. Each delivery may make a little room, so it comes and goes.
func (c *Client) spoolTrouble(err error) {
	if time.Now().Before(c.spool.silentUntil) {
		return
	}
	c.spool.silentUntil = time.Now().Add(spoolWordEvery)
	c.complaints.Lock()
	defer c.complaints.Unlock()
	c.say("spool: " + err.Error() + "; until it is over, an agent that is killed loses what is not delivered")
}

// A deployment does not end because nobody can be told what is wrong with reporting.
func (c *Client) say(text string) {
	defer func() { _ = recover() }()
	c.options.Complain(text)
}

// By a duplicate: a program that writes to stderr itself is ended where nobody reads that any more.
func complainOnStderr(text string) {
	stderr, err := os.Stderr.SyscallConn()
	if err != nil {
		return
	}
	duplicate := -1
	syscall.ForkLock.RLock() // so that no command that is just started gets it
	_ = stderr.Control(func(number uintptr) {
		if duplicate, err = syscall.Dup(int(number)); err == nil {
			syscall.CloseOnExec(duplicate)
		}
	})
	syscall.ForkLock.RUnlock()
	if err == nil && duplicate >= 0 {
		_, _ = syscall.Write(duplicate, []byte("shiplog: "+text+"\n"))
		_ = syscall.Close(duplicate)
	}
}

// A spool holds the same events as the queue, one JSON object a line, for the time after a crash.
// What is in it is with the operating system when a call returns. A torn last line is skipped.
type spool struct {
	path         string
	lock         *os.File // held as long as the process lives
	file         *os.File
	size         int
	isTorn       bool
	isBehind     bool // something of the queue is not in it
	rewriteAfter time.Time
	silentUntil  time.Time // about what is wrong with it
}

// A file of an agent that is gone, and its lock.
type adopted struct {
	path string
	lock *os.File
}

const spoolPattern = "go-*.ndjson"

// Opens a file of our own, and takes over those whose process is gone.
func (c *Client) openSpool() error {
	dir := c.options.Spool
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("shiplog: spool: %w", err)
	}
	others, err := fs.Glob(os.DirFS(dir), spoolPattern)
	if err != nil {
		return fmt.Errorf("shiplog: spool: %w", err)
	}
	path := filepath.Join(dir, strings.Replace(spoolPattern, "*", c.writer, 1))
	lock, err := lockOf(path)
	if err != nil {
		return fmt.Errorf("shiplog: spool: %w", err)
	}
	s := &spool{path: path, lock: lock}
	if err := s.rewrite(nil); err != nil {
		return fmt.Errorf("shiplog: spool: %w", err)
	}
	c.spool = s
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range others {
		c.adopt(filepath.Join(dir, name))
	}
	return nil
}

// Needs the mutex, as all of the spool that follows.
func (c *Client) adopt(path string) {
	lock, err := lockOf(path)
	if err != nil {
		return // its agent lives
	}
	err = c.readSpool(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // as it is where another agent was faster
		c.trouble(err) // the rest of it may be read at the next start
		lock.Close()
		return
	}
	c.adopted = append(c.adopted, adopted{path, lock})
	if !c.spool.isBehind {
		c.letGoOfAdopted()
	}
}

// A torn last line is skipped; others that are no event are named.
func (c *Client) readSpool(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	longest := max(leastLongestLine, c.options.QueueBytes)
	reader := bufio.NewReaderSize(file, 64<<10)
	for number := 1; ; number++ {
		line, length, err := readLine(reader, longest)
		if err != nil && err != io.EOF {
			return err
		}
		isTorn := err == io.EOF
		e, problem := entry{}, error(nil)
		if length > longest {
			problem = fmt.Errorf("it has %d bytes", length)
		} else if len(line) > 0 {
			e, problem = readEntry(line)
		}
		if problem == nil && len(line) > 0 {
			c.add(e)
		} else if problem != nil && (!isTorn || length > longest) {
			c.complain(fmt.Sprintf("line %d of %s was left out: %v", number, path, problem))
		}
		if isTorn {
			return nil
		}
	}
}

// A line without its end, not more of it than the longest may have, and how long it is.
func readLine(reader *bufio.Reader, longest int) (line []byte, length int, err error) {
	for {
		piece, err := reader.ReadSlice('\n')
		length += len(piece)
		if length <= longest+1 {
			line = append(line, piece...)
		}
		if err != bufio.ErrBufferFull {
			ended := bytes.TrimSuffix(line, []byte{'\n'})
			if err == nil {
				length--
			}
			return ended, length, err
		}
	}
}

// From the queue. After a failure not again for a moment: it is much to write.
func (c *Client) rewriteSpool() {
	if time.Now().Before(c.spool.rewriteAfter) {
		c.spool.isBehind = true
		return
	}
	if err := c.spool.rewrite(c.queue); err != nil {
		c.spoolTrouble(err)
		return
	}
	c.letGoOfAdopted()
}

// What could not be written while the disk was full, when there is room again.
func (c *Client) completeSpool() {
	if c.spool != nil && c.spool.isBehind {
		c.rewriteSpool()
	}
}

// All that is not delivered is in the file of our own.
func (c *Client) letGoOfAdopted() {
	for _, other := range c.adopted {
		other.remove()
	}
	c.adopted = nil
}

func (c *Client) closeSpool() {
	if len(c.queue) > 0 && c.spool.isBehind {
		if err := c.spool.rewrite(c.queue); err != nil {
			c.say("spool: not all that is left could be written: " + err.Error())
		}
	}
	if len(c.queue) == 0 || !c.spool.isBehind {
		c.letGoOfAdopted()
	}
	for _, other := range c.adopted {
		other.lock.Close()
	}
	c.spool.close(len(c.queue) == 0)
	c.spool = nil
}

// Where it cannot be removed, it is delivered once more, and counts once.
func (a adopted) remove() {
	os.Remove(a.path)
	os.Remove(a.lock.Name())
	a.lock.Close()
}

func lockOf(path string) (*os.File, error) {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

func (s *spool) append(line []byte, most int) error {
	if s.size > most {
		s.isBehind = true
		return errors.New(s.path + " is full, and cannot be written anew")
	}
	if s.isTorn {
		line = append([]byte{'\n'}, line...)
	}
	written, err := s.file.Write(append(line, '\n'))
	s.size += written
	s.isTorn = err != nil
	s.isBehind = s.isBehind || err != nil
	return err
}

func (s *spool) empty() error {
	if s.size > 0 {
		if err := s.file.Truncate(0); err != nil {
			return err
		}
	}
	s.size, s.isTorn, s.isBehind = 0, false, false
	return nil
}

// Leaves the old file as it is where the new one cannot be written.
func (s *spool) rewrite(queue []entry) error {
	s.isBehind, s.rewriteAfter = true, time.Now().Add(tick)
	temporary := s.path + ".new"
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 64<<10)
	size := 0
	for _, e := range queue {
		buffered.Write(e.line)
		buffered.WriteByte('\n')
		size += len(e.line) + 1
	}
	err = buffered.Flush()
	if err == nil {
		err = os.Rename(temporary, s.path)
	}
	if err != nil {
		file.Close()
		os.Remove(temporary)
		return err
	}
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.size = file, size
	s.isTorn, s.isBehind, s.rewriteAfter = false, false, time.Time{}
	return nil
}

func (s *spool) close(isEmpty bool) {
	s.file.Close()
	if isEmpty {
		adopted{s.path, s.lock}.remove()
	}
	s.lock.Close()
}

const longestPartialLine = lineBytes

// A lineWriter cuts a stream of bytes into lines.
type lineWriter struct {
	step   *Step
	stream string
	mu     sync.Mutex
	rest   []byte
}

func (w *lineWriter) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, data...)
	rest := w.rest
	for {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 && len(rest) < longestPartialLine {
			w.rest = append([]byte(nil), rest...)
			return len(data), nil
		}
		if end < 0 {
			end = wholeRunes(rest, longestPartialLine-1) - 1
		}
		w.step.Line(string(rest[:end+1]), w.stream, "")
		rest = rest[end+1:]
	}
}

// At most so many bytes, none of which is a part of a character that goes on behind them.
func wholeRunes(text []byte, most int) int {
	for back := 0; back < utf8.UTFMax; back++ {
		if utf8.RuneStart(text[most-back]) {
			return most - back
		}
	}
	return most // it is no text
}

func (w *lineWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.step.Line(string(w.rest), w.stream, "")
		w.rest = nil
	}
	return nil
}

func encode(value any) (encoded []byte, err error) {
	defer func() {
		if problem := recover(); problem != nil { // of a MarshalJSON that was given
			err = fmt.Errorf("%v", problem)
		}
	}()
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(value)
	return bytes.TrimSuffix(line.Bytes(), []byte{'\n'}), err
}

// Text as the server takes it: UTF-8 without NUL, and not longer than it may be.
func cleaned(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) <= most {
		return text
	}
	end := most - 100
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s… [shiplog: %d bytes were cut]", text[:end], len(text)-end)
}

func isFinite(number float64) bool { return !math.IsNaN(number) && !math.IsInf(number, 0) }

func optional(text string) *string {
	if text == "" {
		return nil
	}
	text = cleaned(text, lineBytes)
	return &text
}

func durationOf(d time.Duration) *int64 {
	ms := d.Milliseconds()
	return &ms
}

func sizeOf(batch []entry) int {
	size := 0
	for _, e := range batch {
		size += len(e.line) + 1
	}
	return size
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func newID() string {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		panic(err) // the system has no randomness
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func wake(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
