import { workflowInfo } from '@temporalio/workflow';

/** A Markdown link to another workflow of this namespace, as Temporal's UI opens it: to its latest run. */
export function linkTo(words: string, workflowId: string): string {
  const { namespace } = workflowInfo();
  return `[${words}](/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)})`;
}
