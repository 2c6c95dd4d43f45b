// Package chanctl is what an app needs to work with chanctl: to answer its calls, and to publish.
// The rules are in docs/protocol.md.
package chanctl

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log"
	"net/http"
	"os"
)

// Credential is what the header that the channel's auth names said.
type Credential struct {
	Scheme string `json:"scheme"` // empty where the header is not of the form "<scheme> <value>"
	Value  string `json:"value"`
}

// AuthorizeCall asks whether a caller may.
type AuthorizeCall struct {
	Channel   string            `json:"channel"`
	Params    map[string]string `json:"params"`
	Operation string            `json:"operation"` // "subscribe" or "publish"
	Transport string            `json:"transport"` // "ws", "sse" or "http"
	Header    Credential        `json:"header"`
	Cookie    string            `json:"cookie"`
}

// PublishCall asks whether a client's message may be stored.
type PublishCall struct {
	Channel string            `json:"channel"`
	Params  map[string]string `json:"params"`
	Subject string            `json:"subject"`
	Message Message           `json:"message"`
}

// Message is what a publisher sends.
type Message struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

// Answer is the app's word. Only OK lets anybody in.
type Answer struct {
	OK      bool     `json:"ok"`
	Subject string   `json:"subject,omitempty"` // of an authorize call
	Message *Message `json:"message,omitempty"` // of an on-publish call: what to store instead
	Reason  string   `json:"reason,omitempty"`
	Status  int      `json:"status,omitempty"` // 401, 403 or 404
}

const maxBodyBytes = 1 << 20

// Handle answers one kind of chanctl's calls. To anyone else there is nothing here.
func Handle[Call any](decide func(Call) Answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !isFromBroker(r) {
			http.NotFound(w, r)
			return
		}
		// A panic would break the connection off, which looks like a restart, and is waited for.
		defer func() {
			if problem := recover(); problem != nil {
				log.Printf("%s failed: %v", r.URL.Path, problem)
				http.Error(w, "", http.StatusInternalServerError)
			}
		}()
		var call Call
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&call); err != nil {
			log.Printf("%s is not a call: %v", r.URL.Path, err)
			http.Error(w, "", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(decide(call))
	}
}

// isFromBroker compares digests, in constant time: neither length nor content of the token leaks (CWE-208).
func isFromBroker(r *http.Request) bool {
	given := sha256.Sum256([]byte(r.Header.Get("Authorization")))
	expected := sha256.Sum256([]byte("Bearer " + Token()))
	return subtle.ConstantTimeCompare(given[:], expected[:]) == 1
}

// Token is the secret that chanctl and the app share.
func Token() string {
	return os.Getenv("CHANCTL_TOKEN")
}
