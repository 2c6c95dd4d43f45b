// A chat. chanctl stands in front of it, carries its channel, and asks it who may come in and what may be said.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"example.com/chat/chanctl"
)

//go:embed index.html
var page []byte

const maxFormBytes = 1000

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/channels/authorize", chanctl.Handle(authorize))
	mux.HandleFunc("/channels/on-publish", chanctl.Handle(onPublish))
	mux.HandleFunc("/sign-in", signIn)
	mux.HandleFunc("/me", me)
	mux.HandleFunc("/", index)
	server := http.Server{
		Addr:              net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT")),
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Printf("the chat listens on %s", server.Addr)
	log.Fatal(server.ListenAndServe())
}

// authorize: may this caller read, or publish to, this room?
func authorize(call chanctl.AuthorizeCall) chanctl.Answer {
	session := call.Cookie
	if strings.EqualFold(call.Header.Scheme, "Bearer") {
		session = call.Header.Value
	}
	name, ok := readSession(session)
	if !ok {
		return chanctl.Answer{Status: http.StatusUnauthorized, Reason: "sign in first"}
	}
	return chanctl.Answer{OK: true, Subject: name}
}

// onPublish: may this message of a client be stored, and as what?
func onPublish(call chanctl.PublishCall) chanctl.Answer {
	if call.Message.Type != "message" {
		return chanctl.Answer{Reason: "notices come from the app alone"}
	}
	// The channel's schema says that there is a text; chanctl has checked it.
	text := strings.TrimSpace(call.Message.Data.(map[string]any)["text"].(string))
	if text == "" {
		return chanctl.Answer{Reason: "say something"}
	}
	return chanctl.Answer{OK: true, Message: newMessage("message", text)}
}

func newMessage(kind, text string) *chanctl.Message {
	return &chanctl.Message{Type: kind, Data: map[string]string{"text": text}}
}

func index(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page)
}

func me(w http.ResponseWriter, r *http.Request) {
	var signedIn *string
	if cookie, err := r.Cookie("session"); err == nil {
		if name, ok := readSession(cookie.Value); ok {
			signedIn = &name
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(signedIn)
}

func signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	name, room := strings.TrimSpace(r.PostFormValue("name")), r.PostFormValue("room")
	if r.Method != http.MethodPost || name == "" || len(name) > 32 {
		http.Error(w, "a name has 1 to 32 bytes", http.StatusBadRequest)
		return
	}
	params := url.Values{"room": {room}}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if _, err := chanctl.Publish(ctx, "chat", params, *newMessage("notice", name+" came in")); err != nil {
		log.Printf("no notice of %q: %v", name, err) // nobody is kept out because nobody could be told
	}
	http.SetCookie(w, &http.Cookie{
		Name:     "session",
		Value:    writeSession(name),
		Path:     "/",
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
		Secure:   r.Header.Get("X-Forwarded-Proto") == "https",
	})
	http.Redirect(w, r, "/?"+params.Encode(), http.StatusSeeOther)
}
