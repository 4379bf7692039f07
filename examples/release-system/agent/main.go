// The agent of this machine's hosts: it is told by HTTP to run a step on one, runs the step's
// script, and reports its start, its lines and its end to Shiplog.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"shiplog"
)

const reportAtTheEnd = 5 * time.Second

func main() {
	client, err := shiplog.New(shiplog.Options{
		URL:    os.Getenv("SHIPLOG_URL"),
		Token:  os.Getenv("SHIPLOG_TOKEN"),
		Spool:  os.Getenv("SPOOL"),
		Source: "agent/1.0.0",
	})
	if err != nil {
		log.Fatal(err)
	}
	runner := runner{
		client:  client,
		hosts:   os.Getenv("HOSTS_DIR"),
		scripts: os.Getenv("STEPS_DIR"),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hosts/{host}/steps/{step}", runner.handle)
	go func() { log.Println(http.Serve(listener, mux)) }()
	fmt.Printf("listening http://%s\n", listener.Addr())

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	if left := client.Close(reportAtTheEnd); left > 0 {
		log.Printf("%d events are left for the next agent", left)
	}
}

type order struct {
	TaskID  string `json:"taskId"`
	Version string `json:"version"`
}

type outcome struct {
	ExitCode int    `json:"exitCode"`
	Error    string `json:"error,omitempty"`
}

// Answers when the step is over. That it failed is an answer, too.
func (r runner) handle(response http.ResponseWriter, request *http.Request) {
	var ordered order
	if err := json.NewDecoder(request.Body).Decode(&ordered); err != nil || ordered.TaskID == "" {
		http.Error(response, "a JSON object with taskId and version is wanted", http.StatusBadRequest)
		return
	}
	host, step := request.PathValue("host"), request.PathValue("step")
	if !r.knows(host, step) {
		http.Error(response, "there is no such host or step", http.StatusNotFound)
		return
	}
	response.Header().Set("content-type", "application/json")
	if err := json.NewEncoder(response).Encode(r.run(ordered, host, step)); err != nil {
		log.Println(err)
	}
}
