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

// demoPorts are where the receivers stand, the first that is free.
var demoPorts = [...]string{"443", "7443", "0"}

// serveUntil serves on this machine until ctx ends, and gives the port.
func serveUntil(ctx context.Context, handler http.Handler, config *tls.Config) (port string, err error) {
	var socket net.Listener
	for _, wanted := range demoPorts {
		if socket, err = net.Listen("tcp", "127.0.0.1:"+wanted); err == nil {
			break
		}
	}
	if err != nil {
		return "", fmt.Errorf("start the sample receivers: %w", err)
	}
	_, port, err = net.SplitHostPort(socket.Addr().String())
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { _ = server.Serve(tls.NewListener(socket, config)) }() // until it is closed
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, func() { server.Close() }) })
	return port, nil
}

// certificateUntil makes a certificate for the sample receivers that is valid
// until then.
func certificateUntil(then time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Belfry demo"}, NotBefore: then.AddDate(0, 0, -180), NotAfter: then,
		DNSNames: []string{"*" + demoDomain}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
