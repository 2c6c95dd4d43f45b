package chanctl

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand"
	"net/http"
	"net/url"
	"os"
	"time"
)

const longestPause = 2 * time.Second

// No proxy of the environment, which would be shown the token.
var client = http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}

// Publish stores a message and returns its id. It outlives a restart of the broker, for as long as the context allows.
//
// Every attempt carries the same key and the same bytes: one whose answer was lost is not stored twice.
func Publish(ctx context.Context, channel string, params url.Values, message Message) (string, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return "", err
	}
	address := fmt.Sprintf("%s/channels/%s/messages?%s", os.Getenv("CHANCTL_URL"), channel, params.Encode())
	key := newKey()
	for pause := 100 * time.Millisecond; ; pause = shorter(longestPause, 2*pause) {
		id, mayHelp, err := post(ctx, address, key, body)
		if err == nil || !mayHelp {
			return id, err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(time.Duration(float64(pause) * (0.5 + mathrand.Float64()/2))):
		}
	}
}

// post tries once, and says whether another try may help.
func post(ctx context.Context, address, key string, body []byte) (id string, mayHelp bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return "", false, err
	}
	request.Header.Set("Authorization", "Bearer "+Token())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := client.Do(request)
	if err != nil {
		return "", true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", true, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		var stored struct{ IDs []string }
		if err := json.Unmarshal(text, &stored); err != nil || len(stored.IDs) != 1 {
			return "", false, fmt.Errorf("the broker answered %s", text)
		}
		return stored.IDs[0], false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		mayHelp = true
	}
	return "", mayHelp, fmt.Errorf("the broker answered %s: %s", response.Status, text)
}

func newKey() string {
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		panic(err) // without randomness nothing is safe
	}
	return hex.EncodeToString(key)
}

func shorter(a, b time.Duration) time.Duration {
	if a < b {
		return a
	}
	return b
}
