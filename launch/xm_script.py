"""A launch script of XManager, for a spec that `python -m launch` wrote.

  python launch/xm_script.py --spec=out/study/launch/xmanager/spec.json

It imports xmanager and nothing of ours, so it runs in any environment that has
xmanager, as it need not agree with ours on the versions of its libraries.
"""

import asyncio
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from absl import app, flags
from xmanager import xm, xm_local

_SPEC = flags.DEFINE_string('spec', None, 'What to run.', required=True)

Spec = Mapping[str, Any]


def packageable(spec: Spec) -> xm.Packageable:
  """What all jobs run: our script on this host, or our code in a container."""
  if spec['executor'] == 'local':
    return xm.binary(xm_local.Local.Spec(), path=spec['script'])
  kind = {'vertex': xm_local.Vertex, 'kubernetes': xm_local.Kubernetes}
  return xm.python_container(
    kind[spec['executor']].Spec(),
    path=spec['code'],
    base_image=spec['image'],
    docker_instructions=list(spec['docker']),
    entrypoint=xm.CommandList(['python -m icl_gen.study $@']),
  )


def executor(spec: Spec) -> xm.Executor:
  """Where a job runs, and what it needs there."""
  if spec['executor'] == 'local':
    return xm_local.Local()
  needs = xm.JobRequirements(**spec['requirements'])
  kind = {'vertex': xm_local.Vertex, 'kubernetes': xm_local.Kubernetes}
  return kind[spec['executor']](requirements=needs)


async def launch(spec: Spec) -> None:
  """Adds a job for every entry; then the last one, which needs the others.

  Raises:
    ExperimentUnitFailedError: a job failed.
  """
  gate = asyncio.Semaphore(spec['at_once'])
  async with xm_local.create_experiment(spec['title']) as experiment:
    (program,) = experiment.package([packageable(spec)])

    async def run(job: Spec) -> None:
      async with gate:
        unit = await experiment.add(
          xm.Job(program, executor(spec), name=job['name'], args=job['args'])
        )
        await unit.wait_until_complete()

    await asyncio.gather(*(run(job) for job in spec['jobs']))
    await run(spec['last'])


def main(argv: list[str]) -> None:
  """Launches what --spec says."""
  del argv
  asyncio.run(launch(json.loads(pathlib.Path(_SPEC.value).read_text('utf-8'))))


if __name__ == '__main__':
  app.run(main)
