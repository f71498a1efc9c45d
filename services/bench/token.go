package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/tlstest"
)

const (
	rounds     = 9
	coldRounds = 5
	roundTime  = 500 * time.Millisecond
	// coldTokens are asked for once in each round, in which none of them is in memory.
	coldTokens = 1000
	// forgotten is when the broker holds nothing any more of what it was asked for.
	forgotten = 2100 * time.Millisecond

	organization = "bench"
)

// bare is what a unary call over mTLS costs by itself: gRPC as it comes, with the same messages, without interceptors,
// identity, audit or a store.
type bare struct {
	tokenbrokerv1.UnimplementedTokenBrokerServiceServer

	answer *tokenbrokerv1.GetAccessTokenResponse
	rows   *pgxpool.Pool // of the broker's database; nil: the handler does nothing
}

// GetAccessToken answers what is there already, after one point read where that is compared.
func (b *bare) GetAccessToken(ctx context.Context, req *tokenbrokerv1.GetAccessTokenRequest) (*tokenbrokerv1.GetAccessTokenResponse, error) {
	if b.rows == nil {
		return b.answer, nil
	}
	var id, state string
	var ciphertext []byte
	var version int64
	const byWABA = `select id::text, state, ciphertext, version from tokens where organization_id = $1 and
		id = (select token_id from token_wabas where organization_id = $1 and waba_id = $2)`
	err := b.rows.QueryRow(ctx, byWABA, req.GetOrganizationId(), req.GetWabaId()).Scan(&id, &state, &ciphertext, &version)
	return b.answer, err
}

// sides are the broker and the bare server, each behind one connection of the same kind.
type sides struct {
	ours, bare tokenbrokerv1.TokenBrokerServiceClient
}

// newSides connects to the broker and to a bare server that answers as it does.
func (p *pair) newSides(ctx context.Context, req *tokenbrokerv1.GetAccessTokenRequest, rows *pgxpool.Pool) (sides, error) {
	files, err := p.authority.Issue(p.dir, "bench")
	if err != nil {
		return sides{}, err
	}
	config, err := mutualTLS(files)
	if err != nil {
		return sides{}, err
	}
	ours, err := p.client(config, p.brokerAddr)
	if err != nil {
		return sides{}, err
	}
	answer, err := ours.GetAccessToken(ctx, req)
	if err != nil {
		return sides{}, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", loopback)
	if err != nil {
		return sides{}, err
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	same, _ := proto.Clone(answer).(*tokenbrokerv1.GetAccessTokenResponse)
	tokenbrokerv1.RegisterTokenBrokerServiceServer(server, &bare{answer: same, rows: rows})
	p.closers = append(p.closers, server.Stop)
	go func() { _ = server.Serve(listener) }()
	plain, err := p.client(config, listener.Addr().String())
	return sides{ours, plain}, err
}

func (p *pair) client(config *tls.Config, address string) (tokenbrokerv1.TokenBrokerServiceClient, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, func() { _ = conn.Close() })
	return tokenbrokerv1.NewTokenBrokerServiceClient(conn), nil
}

func mutualTLS(files tlstest.Files) (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(files.CA)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("no certificate in " + files.CA)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{cert}, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS13,
	}, nil
}

// measureWarm asks for one token again and again: all but one call in two seconds are answered from memory.
func (p *pair) measureWarm(ctx context.Context, out *table) error {
	waba, _, err := p.storeToken(ctx)
	if err != nil {
		return err
	}
	req := request(waba)
	both, err := p.newSides(ctx, req, nil)
	if err != nil {
		return err
	}
	for _, callers := range []int{1, 16, 64} {
		one := func(client tokenbrokerv1.TokenBrokerServiceClient) (float64, error) {
			return throughput(ctx, callers, roundTime, func() error {
				_, err := client.GetAccessToken(ctx, req)
				return err
			})
		}
		if err := both.compare(fmt.Sprintf("GetAccessToken warm, callers: %d", callers), rounds, out, one); err != nil {
			return err
		}
	}
	return nil
}

// measureCold asks for each of many bindings once, so that each call reads a row and opens it.
func (p *pair) measureCold(ctx context.Context, out *table) error {
	first, token, err := p.storeToken(ctx)
	if err != nil {
		return err
	}
	rows, err := pgxpool.New(ctx, p.databases["token-broker"])
	if err != nil {
		return err
	}
	p.closers = append(p.closers, rows.Close)
	both, err := p.newSides(ctx, request(first), rows)
	if err != nil {
		return err
	}
	wabas := make([]string, coldTokens)
	for i := range wabas {
		wabas[i] = fmt.Sprint(900_000_000_000 + i)
		bind := &tokenbrokerv1.BindWabaRequest{OrganizationId: organization, TokenId: token, WabaId: wabas[i]}
		if _, err := both.ours.BindWaba(ctx, bind); err != nil {
			return err
		}
	}
	return both.compare("GetAccessToken cold, callers: 1 (the baseline reads a row)", coldRounds, out,
		func(client tokenbrokerv1.TokenBrokerServiceClient) (float64, error) {
			time.Sleep(forgotten)
			start := time.Now()
			for _, waba := range wabas {
				if _, err := client.GetAccessToken(ctx, request(waba)); err != nil {
					return 0, err
				}
			}
			return coldTokens / time.Since(start).Seconds(), nil
		})
}

func request(waba string) *tokenbrokerv1.GetAccessTokenRequest {
	return &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: organization, Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: waba},
	}
}

// storeToken claims a WABA, and answers its id and the token that serves it.
func (p *pair) storeToken(ctx context.Context) (waba, token string, err error) {
	files, err := p.authority.Issue(p.dir, "bench")
	if err != nil {
		return "", "", err
	}
	config, err := mutualTLS(files)
	if err != nil {
		return "", "", err
	}
	client, err := p.client(config, p.brokerAddr)
	if err != nil {
		return "", "", err
	}
	customer := p.meta.SignUp(graphsim.SignUp{})
	exchanged, err := client.ExchangeCode(ctx, &tokenbrokerv1.ExchangeCodeRequest{
		OrganizationId: organization, Code: customer.Code, OnboardingId: "bench",
	})
	if err != nil {
		return "", "", err
	}
	waba, token = customer.WABAIDs[0], exchanged.GetToken().GetTokenId()
	_, err = client.BindWaba(ctx, &tokenbrokerv1.BindWabaRequest{OrganizationId: organization, TokenId: token, WabaId: waba})
	return waba, token, err
}

// compare runs rounds that alternate, so that both sides see the same machine, and prints the median of their ratios.
func (s sides) compare(name string, rounds int, out *table, round func(tokenbrokerv1.TokenBrokerServiceClient) (float64, error)) error {
	var ours, plain, ratios []float64
	for i := range rounds + 1 {
		a, err := round(s.ours)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b, err := round(s.bare)
		if err != nil {
			return fmt.Errorf("%s, baseline: %w", name, err)
		}
		if i > 0 { // the first round warms up
			ours, plain, ratios = append(ours, a), append(plain, b), append(ratios, a/b)
		}
	}
	out.line(name, fmt.Sprintf("%.0f/s", median(ours)), fmt.Sprintf("%.0f/s", median(plain)), fmt.Sprintf("%.2f", median(ratios)))
	return nil
}

// throughput is how many calls a second so many callers make, each one after the other.
func throughput(ctx context.Context, callers int, last time.Duration, call func() error) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, last)
	defer cancel()
	var calls atomic.Int64
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	start := time.Now()
	for range callers {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := call(); err != nil {
					failed.Store(&err)
					return
				}
				calls.Add(1)
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(calls.Load()) / time.Since(start).Seconds(), nil
}
