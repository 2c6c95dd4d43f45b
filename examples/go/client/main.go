// A client that follows a channel from anywhere, and misses nothing: prints each message as one line of JSON.
//
//	CHAT_TOKEN=… go run ./client 'http://127.0.0.1:4433/channels/chat?room=lobby'
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"time"
)

const (
	longestSilence = time.Minute // the broker says something every 25 s
	longestPause   = 10 * time.Second
)

// errStopped: the broker will not let us in, however often we ask.
var errStopped = errors.New("stopped")

// subscriber is one stream of messages, over as many connections as it takes.
type subscriber struct {
	url, token string
	lastID     string        // where to go on; empty: with what comes from now on
	retry      time.Duration // when to come back, as the broker says
	failures   int
	onMessage  func(message string)
}

func main() {
	log.SetFlags(0)
	follower := subscriber{
		url:       os.Args[1],
		token:     os.Getenv("CHAT_TOKEN"),
		retry:     time.Second,
		onMessage: printLine,
	}
	log.Fatal(follower.run())
}

// printLine prints a message without the line breaks that its writer may have put between its tokens.
func printLine(message string) {
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(message)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(line.String())
}

// run follows the stream until it is refused for good.
func (s *subscriber) run() error {
	for {
		err := s.connect()
		if errors.Is(err, errStopped) {
			return err
		}
		log.Print(err)
		// What the broker says, longer while it cannot be reached; spread, so that not all come back at once.
		pause := math.Min(longestPause.Seconds(), 0.1*math.Pow(2, float64(s.failures))) * (0.5 + rand.Float64()/2)
		time.Sleep(time.Duration(math.Max(s.retry.Seconds(), pause) * float64(time.Second)))
		s.failures++
	}
}

// connect reads one connection to its end.
func (s *subscriber) connect() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	silence := time.AfterFunc(longestSilence, cancel)
	defer silence.Stop()

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return fmt.Errorf("%w: %v", errStopped, err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	if s.lastID != "" {
		request.Header.Set("Last-Event-ID", s.lastID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("not connected: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return s.learn(response)
	}
	s.failures = 0
	return readEvents(response.Body, s.lastID, func(e event) {
		silence.Reset(longestSilence)
		if e.retry > 0 {
			s.retry = e.retry
		}
		if e.data != "" {
			s.onMessage(e.data)
		}
		s.lastID = e.id // not before the message was taken: who breaks off in between gets it again
	})
}

// learn is what a refusal means for the next attempt.
func (s *subscriber) learn(response *http.Response) error {
	text, _ := io.ReadAll(response.Body)
	err := fmt.Errorf("refused: %s: %s", response.Status, text)
	switch response.StatusCode {
	case 400, 401, 403, 404, 405:
		return fmt.Errorf("%w: %v", errStopped, err)
	case http.StatusGone: // some of what was missed is gone for good: go on with the oldest that is kept
		var problem struct{ Oldest string }
		if err := json.Unmarshal(text, &problem); err != nil {
			return fmt.Errorf("%w: %v", errStopped, err)
		}
		s.lastID = problem.Oldest
	}
	if secs, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		s.retry = time.Duration(secs) * time.Second
	}
	return err
}
