package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLSFiles are the paths of a PEM certificate with its chain, of its key, and of the authorities that sign the other
// side's. They may be replaced while the process runs.
type TLSFiles struct{ Cert, Key, CA string }

func (f TLSFiles) isEmpty() bool { return f == TLSFiles{} }

// Check tells why nothing would come up with these files.
func (f TLSFiles) Check() error {
	_, err := newKeeper(f, nil)
	return err
}

// recheck is how long files that were looked at are believed.
const recheck = time.Second

// material is what the files held when they last made sense together.
type material struct {
	cert *tls.Certificate // nil when no certificate is configured
	pool *x509.CertPool   // nil when no authority is configured
}

// keeper holds the material of the files. They are looked at when a connection is made: those that stand need no news.
type keeper struct {
	files TLSFiles
	log   *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	seen    [sha256.Size]byte
	last    *material
	missing bool
	warned  time.Time // of the end of the certificate
}

func newKeeper(files TLSFiles, log *slog.Logger) (*keeper, error) {
	if (files.Cert == "") != (files.Key == "") {
		return nil, errors.New("TLS_CERT_FILE and TLS_KEY_FILE come together")
	}
	raw, err := files.read()
	if err != nil {
		return nil, err
	}
	m, err := files.material(raw)
	if err != nil {
		return nil, err
	}
	return &keeper{files: files, log: log, looked: time.Now(), seen: raw.sum(), last: m}, nil
}

// current is the newest material that makes sense. Files that are half-written, do not belong together, have expired or
// are gone change nothing, and are reported once: a renewal that goes wrong must not take the service down before the old
// certificate does.
func (k *keeper) current() *material {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.looked) < recheck {
		return k.last
	}
	k.looked = time.Now()
	k.warnOfEnd(k.looked)
	raw, err := k.files.read()
	if err != nil {
		if !k.missing {
			k.warn(err)
		}
		k.missing = true
		return k.last
	}
	k.missing = false
	if raw.sum() == k.seen {
		return k.last
	}
	k.seen = raw.sum()
	m, err := k.files.material(raw)
	if err != nil {
		k.warn(err)
		return k.last
	}
	k.last = m
	k.log.InfoContext(context.Background(), "TLS files taken over", "cert", k.files.Cert, "ca", k.files.CA)
	return m
}

// warnOfEnd says once a day that our certificate should have been renewed by now: in its last week, or its last sixth
// where it is made for less.
func (k *keeper) warnOfEnd(now time.Time) {
	if k.last.cert == nil || now.Sub(k.warned) < 24*time.Hour {
		return
	}
	leaf := k.last.cert.Leaf
	if leaf.NotAfter.Sub(now) > min(7*24*time.Hour, leaf.NotAfter.Sub(leaf.NotBefore)/6) {
		return
	}
	k.warned = now
	k.log.WarnContext(context.Background(), "our certificate ends soon, and then nobody takes it", "cert", k.files.Cert, "end", leaf.NotAfter)
}

func (k *keeper) warn(err error) {
	k.log.WarnContext(context.Background(), "TLS files make no sense, those before them stay", "cert", k.files.Cert,
		"ca", k.files.CA, "error", err)
}

// rawFiles are the bytes of TLSFiles; nil where no path is set.
type rawFiles struct{ cert, key, ca []byte }

func (f TLSFiles) read() (rawFiles, error) {
	var raw rawFiles
	var errs [3]error
	raw.cert, errs[0] = readIfSet("TLS_CERT_FILE", f.Cert)
	raw.key, errs[1] = readIfSet("TLS_KEY_FILE", f.Key)
	raw.ca, errs[2] = readIfSet("TLS_CA_FILE", f.CA)
	return raw, errors.Join(errs[:]...)
}

func readIfSet(setting, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path) //nolint:gosec // G304: the path is a setting of the operator
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return data, nil
}

func (r rawFiles) sum() [sha256.Size]byte {
	return sha256.Sum256(bytes.Join([][]byte{r.cert, r.key, r.ca}, []byte{0}))
}

func (f TLSFiles) material(raw rawFiles) (*material, error) {
	m := &material{}
	if raw.cert != nil {
		pair, err := tls.X509KeyPair(raw.cert, raw.key)
		if err != nil {
			return nil, fmt.Errorf("TLS_CERT_FILE %s and TLS_KEY_FILE %s must be a certificate and its key, PEM: %w", f.Cert, f.Key, err)
		}
		if err := valid(pair.Leaf, time.Now()); err != nil {
			return nil, fmt.Errorf("TLS_CERT_FILE %s: %w", f.Cert, err)
		}
		m.cert = &pair
	}
	if raw.ca == nil {
		return m, nil
	}
	pool, err := poolOf(raw.ca)
	if err != nil {
		return nil, fmt.Errorf("TLS_CA_FILE %s must be PEM certificates and nothing else: %w", f.CA, err)
	}
	m.pool = pool
	return m, nil
}

// valid refuses a certificate that the other side would refuse.
func valid(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.After(cert.NotAfter):
		return fmt.Errorf("the certificate expired on %s: put a new one there", cert.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("the certificate begins on %s, and the clock here says %s", cert.NotBefore.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// poolOf refuses a file with anything but certificates in it, where the standard library skips over what it can not
// read: half a file would silently be fewer authorities.
func poolOf(data []byte) (*x509.CertPool, error) {
	pool, count := x509.NewCertPool(), 0
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		pool.AddCert(cert)
		count++
	}
	switch {
	case count == 0:
		return nil, errors.New("there is none")
	case len(bytes.TrimSpace(data)) > 0:
		return nil, errors.New("something else follows them")
	}
	return pool, nil
}
