// argo NAMESPACE WORKFLOW stop|terminate|suspend|resume|retry: what Argo's client does for these, by Argo's own code. That client
// itself embeds a UI which its module does not have.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/argoproj/argo-workflows/v4/persist/sqldb"
	"github.com/argoproj/argo-workflows/v4/pkg/client/clientset/versioned"
	"github.com/argoproj/argo-workflows/v4/pkg/client/clientset/versioned/typed/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/util/logging"
	"github.com/argoproj/argo-workflows/v4/workflow/hydrator"
	"github.com/argoproj/argo-workflows/v4/workflow/util"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: argo NAMESPACE WORKFLOW stop|terminate|suspend|resume|retry"))
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		fail(err)
	}
	client, err := versioned.NewForConfig(config)
	if err != nil {
		fail(err)
	}
	ctx := logging.WithLogger(context.Background(), logging.NewSlogLogger(logging.Warn, logging.Text))
	if err := command(ctx, client.ArgoprojV1alpha1().Workflows(os.Args[1]), os.Args[2], os.Args[3]); err != nil {
		fail(err)
	}
}

func command(ctx context.Context, workflows v1alpha1.WorkflowInterface, name, verb string) error {
	// Nodes that are too large even when compressed would be in a database.
	hydrate := hydrator.New(sqldb.ExplosiveOffloadNodeStatusRepo)
	switch verb {
	case "stop":
		return util.StopWorkflow(ctx, workflows, hydrate, name, "", "")
	case "terminate":
		return util.TerminateWorkflow(ctx, workflows, name)
	case "suspend":
		return util.SuspendWorkflow(ctx, workflows, name)
	case "resume":
		return util.ResumeWorkflow(ctx, workflows, hydrate, name, "")
	case "retry":
		return retry(ctx, workflows, hydrate, name)
	}
	return fmt.Errorf("no command %s", verb)
}

// As Argo's server does it; there are no pods to delete.
func retry(ctx context.Context, workflows v1alpha1.WorkflowInterface, hydrate hydrator.Interface, name string) error {
	workflow, err := workflows.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := hydrate.Hydrate(ctx, workflow); err != nil {
		return err
	}
	again, _, err := util.FormulateRetryWorkflow(ctx, workflow, false, "", nil)
	if err != nil {
		return err
	}
	if err := hydrate.Dehydrate(ctx, again); err != nil {
		return err
	}
	_, err = workflows.Update(ctx, again, metav1.UpdateOptions{})
	return err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
