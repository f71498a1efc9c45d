package store

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestABatchComesBackAsItWas(t *testing.T) {
	t.Parallel()
	p := new(packer)
	for _, bodies := range [][][]byte{
		{[]byte("one")},
		{{}, []byte("\x00\xff"), []byte(strings.Repeat("long ", 100_000)), {}},
		{[]byte("after a longer one")}, // in the same memory
	} {
		back, err := unpack(p.pack(bodies))
		if err != nil || len(back) != len(bodies) {
			t.Fatalf("%d bodies came back as %d, %v", len(bodies), len(back), err)
		}
		for i := range bodies {
			if !bytes.Equal(back[i], bodies[i]) {
				t.Errorf("body %d is another", i)
			}
		}
	}
}

func FuzzUnpack(f *testing.F) {
	p := new(packer)
	f.Add([]byte{})
	f.Add(bytes.Clone(p.pack([][]byte{[]byte("a"), {}, []byte("bc")})))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}) // says that it is large
	f.Fuzz(func(t *testing.T, packed []byte) {
		bodies, err := unpack(packed)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		again, err := unpack(p.pack(bodies))
		if err != nil || len(again) != len(bodies) {
			t.Fatalf("%d bodies, then %d, %v", len(bodies), len(again), err)
		}
	})
}
