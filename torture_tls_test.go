package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// badTLS starts endpoints whose TLS is no good, and gives the file of the
// authority that signed the certificates of those that have a known one.
func badTLS(t *testing.T) (list []hostile, roots string) {
	t.Helper()
	now, day := time.Now(), 24*time.Hour
	expired, known := selfSigned(t, now.Add(-2*day), now.Add(-day))
	unknown, _ := selfSigned(t, now.Add(-day), now.Add(day))
	roots = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: known}), 0o600); err != nil {
		t.Fatal(err)
	}
	add := func(name, kind, detail string, serve func(net.Conn)) {
		list = append(list, hostile{name, kind, detail, "https://" + raw(t, serve)})
	}
	handshake := func(certificate tls.Certificate) func(net.Conn) {
		return func(c net.Conn) {
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake()
		}
	}
	add("has an expired certificate", "tls", "expired on", handshake(expired))
	add("has a certificate of its own", "tls", "authority that is not known", handshake(unknown))
	add("speaks no TLS", "tls", "does not speak TLS", func(c net.Conn) { say(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	add("hangs in the handshake", "timeout", "TLS handshake", silent)
	return list, roots
}

// selfSigned makes a certificate for 127.0.0.1 that is its own authority.
func selfSigned(t *testing.T, from, to time.Time) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, der
}
