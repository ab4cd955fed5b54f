"""`make bench`: everything side by side, one result file, one page. See docs/design/bench.md."""
