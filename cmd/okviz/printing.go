package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"
)

// inJSON has a command print for programs.
var inJSON = &cli.BoolFlag{Name: "json", Usage: "print JSON"}

func printJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printRows prints rows as an aligned table, or as JSON objects.
func printRows(cmd *cli.Command, columns []string, rows [][]string) error {
	if cmd.Bool("json") {
		list := make([]map[string]string, len(rows))
		for i, row := range rows {
			list[i] = map[string]string{}
			for j, column := range columns {
				list[i][column] = row[j]
			}
		}
		return printJSON(list)
	}
	table := aligned(os.Stdout)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// aligned is a table whose cells are separated by tabs.
func aligned(to io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(to, 0, 0, 2, ' ', 0) }

// progressLine tells how far a long command is: on a terminal one line that is written
// over, elsewhere a line each time.
func progressLine() (line func(format string, args ...any), end func()) {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }, func() {}
	}
	line = func(format string, args ...any) { fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, args...) }
	return line, func() { fmt.Fprintln(os.Stderr) }
}

// progress is progressLine with a bar.
func progress(what string) (tell func(done, of int), end func()) {
	line, end := progressLine()
	return func(done, of int) {
		const width = 30
		line("[%-*s] %d of %d %s", width, strings.Repeat("#", width*done/max(1, of)), done, of, what)
	}, end
}

// printChanges prints what was changed, or would be, like a plan.
func printChanges(cmd *cli.Command, changes []string, dryRun bool) {
	if cmd.Bool("json") {
		_ = printJSON(map[string]any{"changes": changes, "dry_run": dryRun}) // standard output is away
		return
	}
	for _, change := range changes {
		fmt.Println(change)
	}
	number := fmt.Sprintf("%d changes", len(changes))
	if len(changes) == 1 {
		number = "1 change"
	}
	if dryRun {
		number += " would be made"
	}
	fmt.Println(number)
}
