import { defineBenchmark, type Round } from './harness/index.js';
import { SPARK_JARS, startPythonSample } from './python-sample.js';

/** @param state of the engine when the work begins */
function firstJob(state: 'cold' | 'warm') {
  return async ({ signal, time }: Round<null>) => {
    await using sample = await startPythonSample('spark_start', [state, SPARK_JARS], signal);
    return time(1, () => sample.go());
  };
}

export const benchmark = defineBenchmark<null>({
  id: 'P10',
  name: 'spark-start',
  what: 'Time until the first job of an activity on Spark is done, in a worker that has warmed its engine up, in comparison with one whose engine has yet to start. 20 is a twentieth of the time.',
  setUp: async () => null,
  cases: [
    {
      kind: 'ratio',
      name: 'warm ÷ cold',
      unit: 'starts',
      target: { atLeast: 20 },
      sides: { ours: firstJob('warm'), baseline: firstJob('cold') },
    },
  ],
});
