import type { PreviewInput, PreviewReport } from '../contracts/workflow.js';
import { asked, control } from './activity-proxies.js';
import { outcomeOf } from './outcome-of.js';

/** One preview: look the config up, let Python leave some rows as a file. Nothing of the rows passes through here. */
export async function previewWorkflow({ endpointId, ...request }: PreviewInput): Promise<PreviewReport> {
  const source = await control.endpointRef(endpointId);
  const work = { name: 'preview', again: 'ask for it again' };
  return outcomeOf(asked.previewMetadata({ ...request, source }), work);
}
