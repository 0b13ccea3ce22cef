// The container that holds a pod's namespaces: does nothing until it is told to end. The kubelet's other containers
// have their own pid namespace, so that there is nothing to reap.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
