package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"
)

// serveUntil serves on this machine until ctx ends, with TLS where there is a
// certificate, and gives the port: that one if it is free, else any.
func serveUntil(ctx context.Context, wanted string, handler http.Handler, certificate *tls.Certificate) (port string, err error) {
	socket, err := net.Listen("tcp", "127.0.0.1:"+wanted)
	if err != nil {
		socket, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", fmt.Errorf("start the sample receivers: %w", err)
	}
	_, port, err = net.SplitHostPort(socket.Addr().String())
	if err != nil {
		return "", err
	}
	if certificate != nil {
		socket = tls.NewListener(socket, &tls.Config{Certificates: []tls.Certificate{*certificate}})
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = server.Serve(socket) }() // until it is closed
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, func() { server.Close() }) })
	return port, nil
}

// expiredCertificate makes a certificate for this machine that was valid until
// then.
func expiredCertificate(then time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Belfry demo"}, NotBefore: then.AddDate(0, 0, -90), NotAfter: then,
		DNSNames: []string{"*" + demoDomain}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
