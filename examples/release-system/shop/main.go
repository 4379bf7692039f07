// The service that is deployed. It ends when it has answered what it was asked.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Long enough that a careless restart would cut somebody off.
const work = 20 * time.Millisecond

func main() {
	version, host := os.Getenv("VERSION"), os.Getenv("HOST")
	http.HandleFunc("/", func(response http.ResponseWriter, _ *http.Request) {
		time.Sleep(work)
		fmt.Fprintf(response, "%s %s\n", version, host)
	})
	http.HandleFunc("/health", func(response http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(response, version)
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT")}
	stopped := make(chan struct{})
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		if err := server.Shutdown(context.Background()); err != nil {
			log.Println(err)
		}
		close(stopped)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-stopped
}
