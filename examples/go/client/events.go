package main

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// event is one block of an event stream. A heartbeat is a block with nothing in it.
type event struct {
	id    string // where to go on after it
	data  string
	retry time.Duration // when to come back; 0 where it does not say
}

// readEvents calls take with each whole block, until the stream ends. lastID is where to go on until a block says.
//
// See https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
func readEvents(stream io.Reader, lastID string, take func(event)) error {
	lines := bufio.NewReader(stream) // not bufio.Scanner: a message may be longer than its 64 KiB
	block := event{id: lastID}
	var data []string
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return errors.New("the broker has ended the connection")
		}
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			block.data = strings.Join(data, "\n")
			take(block)
			block, data = event{id: block.id}, nil
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			block.id = value
		case "data":
			data = append(data, value)
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil {
				block.retry = time.Duration(ms) * time.Millisecond
			}
		}
	}
}
