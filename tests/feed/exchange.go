// Go's half of the exchange (see exchange.c): golang.org/x/mod/sumdb/note and sumdb/tlog, which
// share nothing with our code. "check" takes our lines, "write" makes the same kind.
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const entries = 66000

var stored []tlog.Hash
var reader = tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = stored[x]
	}
	return out, nil
})

func must(err error) {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
}

func grow(from, to int64) {
	for i := from; i < to; i++ {
		h, err := tlog.StoredHashes(i, []byte(fmt.Sprintf("entry %d", i)), reader)
		must(err)
		stored = append(stored, h...)
	}
}

func path(hashes []tlog.Hash) string {
	s := ""
	for _, h := range hashes {
		s += " " + h.String()
	}
	return s
}

func root(n int64) tlog.Hash {
	h, err := tlog.TreeHash(n, reader)
	must(err)
	return h
}

// C2SP's tiles have height 8 always and do not say so in their path.
func shortPath(t tlog.Tile) string { return strings.Replace(t.Path(), "tile/8/", "tile/", 1) }

func write() {
	grow(0, entries)
	skey, vkey, err := note.GenerateKey(rand.Reader, "theirs.example/log")
	must(err)
	signer, err := note.NewSigner(skey)
	must(err)
	text := tlog.FormatTree(tlog.Tree{N: entries, Hash: root(entries)})
	msg, err := note.Sign(&note.Note{Text: string(text)}, signer)
	must(err)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	fmt.Fprintf(out, "skey %s\nvkey %s\nnote %s\n", skey, vkey, base64.StdEncoding.EncodeToString(msg))
	proofs := func(size int64) {
		for i := int64(0); i < size; i += 1 + size/9 {
			p, err := tlog.ProveRecord(size, i, reader)
			must(err)
			leaf := tlog.RecordHash([]byte(fmt.Sprintf("entry %d", i)))
			fmt.Fprintf(out, "inclusion %d %d %s %s%s\n", size, i, root(size), leaf, path(p))
			q, err := tlog.ProveTree(size, i+1, reader)
			must(err)
			fmt.Fprintf(out, "consistency %d %d %s %s%s\n", i+1, size, root(i+1), root(size), path(q))
		}
	}
	for size := int64(1); size <= 300; size += 7 {
		proofs(size)
	}
	proofs(entries)
	for _, t := range tlog.NewTiles(8, 0, entries) {
		data, err := tlog.ReadTileData(t, reader)
		must(err)
		fmt.Fprintf(out, "tile %s %s\n", shortPath(t), base64.StdEncoding.EncodeToString(data))
	}
}

func hashes(words []string) []tlog.Hash {
	out := []tlog.Hash{}
	for _, w := range words {
		h, err := tlog.ParseHash(w)
		must(err)
		out = append(out, h)
	}
	return out
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	must(err)
	return n
}

func check() {
	count := map[string]int{}
	var signer note.Signer
	var verifier note.Verifier
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var err error
		w := strings.Split(in.Text(), " ")
		switch w[0] {
		case "skey":
			signer, err = note.NewSigner(w[1])
		case "vkey":
			verifier, err = note.NewVerifier(w[1])
		case "note":
			msg, err1 := base64.StdEncoding.DecodeString(w[1])
			must(err1)
			n, err1 := note.Open(msg, note.VerifierList(verifier))
			must(err1)
			tree, err1 := tlog.ParseTree([]byte(n.Text))
			must(err1)
			again, err1 := note.Sign(&note.Note{Text: n.Text}, signer)
			must(err1)
			if !bytes.Equal(again, msg) {
				log.Fatal("signed by Go, the note differs")
			}
			grow(0, tree.N)
			if root(tree.N) != tree.Hash {
				log.Fatal("another root")
			}
		case "inclusion":
			h := hashes(w[3:])
			err = tlog.CheckRecord(h[2:], number(w[1]), h[0], number(w[2]), h[1])
		case "consistency":
			h := hashes(w[3:])
			err = tlog.CheckTree(h[2:], number(w[2]), h[1], number(w[1]), h[0])
		case "tile":
			t, err1 := tlog.ParseTilePath(strings.Replace(w[1], "tile/", "tile/8/", 1))
			must(err1)
			ours, err1 := tlog.ReadTileData(t, reader)
			must(err1)
			theirs, err1 := base64.StdEncoding.DecodeString(w[2])
			must(err1)
			if !bytes.Equal(ours, theirs) || shortPath(t) != w[1] {
				log.Fatal("tile differs: ", w[1])
			}
		default:
			log.Fatal("unknown line ", w[0])
		}
		must(err)
		count[w[0]]++
	}
	must(in.Err())
	fmt.Printf("Go took from ours: %d private key, %d key, %d checkpoint, %d inclusion, %d consistency proofs, %d tiles\n",
		count["skey"], count["vkey"], count["note"], count["inclusion"], count["consistency"], count["tile"])
	for _, k := range []string{"skey", "vkey", "note", "inclusion", "consistency", "tile"} {
		if count[k] == 0 {
			log.Fatal("nothing of ", k)
		}
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "write" {
		write()
	} else if len(os.Args) == 2 && os.Args[1] == "check" {
		check()
	} else {
		os.Exit(2)
	}
}
