package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// Today is what needs a person.
type Today struct {
	Data    []billing.Task     `json:"data" doc:"Every kind, also where there is nothing."`
	Unknown []billing.TaskKind `json:"unknown" doc:"What could not be found out, since Temporal did not answer in time."`
}

func (s *operators) todayRoute(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/operator/today", "today", "What needs a person, by kind", "Operator", operator(billing.OperatorRoles...)), s.today)
}

// reconciling is how long the list of today waits for Temporal.
const reconciling = 10 * time.Second

func (s *operators) today(ctx context.Context, _ *struct{}) (*struct{ Body Today }, error) {
	tasks, err := s.Store.Tasks(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	builds, err := s.builds(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	out := Today{Data: append(tasks, builds...), Unknown: []billing.TaskKind{}}
	within, cancel := context.WithTimeout(ctx, reconciling)
	defer cancel()
	found, err := s.Office.Reconcile(within)
	if err != nil {
		s.Log.Warn("rows and workflows were not compared", "error", err)
		out.Unknown = append(out.Unknown, billing.TaskDifference)
		return &struct{ Body Today }{out}, nil
	}
	var differ []string
	for _, id := range slices.Concat(found.WithoutWorkflow, found.WithoutRows) {
		differ = append(differ, string(id))
	}
	out.Data = append(out.Data, billing.NewTask(billing.TaskDifference, differ))
	return &struct{ Body Today }{out}, nil
}

// builds are the versions on offer whose builds know no key that signs, or would
// know none after a rotation.
func (s *operators) builds(ctx context.Context) ([]billing.Task, error) {
	products, err := s.Store.Products(ctx)
	if err != nil {
		return nil, err
	}
	var orphaned, outdated []string
	for _, p := range products {
		versions, err := s.Store.AllVersions(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			switch name := p.ID + "/" + v.Version; {
			case v.Withdrawn():
			case !s.Keys.SignsFor(v.Build.Kids):
				outdated = append(outdated, name)
			case !s.Keys.Next.IsZero() && len(v.Build.Kids) > 0 && !slices.Contains(v.Build.Kids, s.Keys.Next.ID()):
				orphaned = append(orphaned, name)
			}
		}
	}
	return []billing.Task{billing.NewTask(billing.TaskOrphanedBuild, orphaned), billing.NewTask(billing.TaskOutdatedBuild, outdated)}, nil
}
