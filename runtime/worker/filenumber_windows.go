package worker

import "os"

// fileNumber is empty: os.FileInfo does not tell it on Windows.
func fileNumber(os.FileInfo) string { return "" }
