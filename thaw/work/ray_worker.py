"""Worker and ledger, the processes in a Ray cluster."""

import pickle
import platform
import traceback
from typing import Any

from thaw.errors import MachineError, UserError
from thaw.work.machine import describe_differences, machine_facts

MOST_ATTEMPTS = 3
# What a worker answers: a result, or why there is none.
DONE, REFUSED, FAILED, ENDED_WORKERS = "done", "refused", "failed", "ended"


class Ledger:
    """An actor that knows which units were begun, and where."""

    def __init__(self, facts: dict):
        """Takes the facts of `machine_facts` that workers have to share.

        Args:
            facts: Those known; of others the first worker's count.
        """
        self._facts = facts
        self._begun = {}  # by unit: where it was begun, each time
        self._answers = {}  # by unit that is done, pickled
        self._again = []

    def agree(self, facts: dict) -> dict:
        """Returns the facts that count."""
        self._facts = facts | self._facts
        return self._facts

    def begin(self, index: int, where: str) -> tuple[list[str], bytes | None]:
        """Returns where a unit was begun before in vain; and its answer.

        It has one where Ray does a block of units again, some of them done.
        """
        if index in self._answers:
            return [], self._answers[index]
        before = self._begun.setdefault(index, [])
        if before:
            self._again.append((index, [*before, where]))
        self._begun[index] = [*before, where]
        return before, None

    def end(self, index: int, answer: bytes) -> None:
        """Notes that a unit is done."""
        self._answers[index] = answer
        self._begun.pop(index, None)

    def news(self) -> tuple[list, dict, int]:
        """Returns the units begun again since the last call, and more.

        Those in work, with where they were begun; the number of those done.
        """
        again, self._again = self._again, []
        return again, self._begun, len(self._answers)


class Worker:
    """A worker of Ray Data: it does units, and never raises.

    An exception would end the job at once, or be tried again without end.
    """

    def __init__(self, units, packages, job: bytes, ledger):
        """Starts the job, if this is the right kind of machine.

        Args:
            units: All units.
            packages: Of `Job`.
            job: The `Job`, pickled: by itself it needs the same versions.
            ledger: Handle of the `Ledger`.
        """
        import ray

        self._get, self._units, self._ledger = ray.get, units, ledger
        self._where = platform.node()
        facts = machine_facts(packages)
        expected = self._get(ledger.agree.remote(facts))
        differences = describe_differences(expected, facts, self._where)
        self._refusal = None
        if differences:
            self._refusal = (
                REFUSED,
                (
                    "Workers must be of one kind, or the last bits of results "
                    f"differ. {differences}."
                ),
            )
            return
        try:
            self._do = pickle.loads(job).start()
        except UserError as error:
            self._refusal = REFUSED, f"{self._where}: {error}"
        except Exception:  # raised in the driver: here it ends the worker only
            self._refusal = FAILED, f"{self._where}: {traceback.format_exc()}"

    def __call__(self, batch: dict) -> dict:
        """Does the unit of a batch of one row."""
        (index,) = batch["unit"]
        if self._refusal is not None:
            answer = pickle.dumps(self._refusal)
        else:
            answer = self._answer(int(index))
        return {"unit": [index], "answer": [answer]}

    def _answer(self, index) -> bytes:
        before, answer = self._get(
            self._ledger.begin.remote(index, self._where)
        )
        if answer is not None:
            return answer
        if len(before) >= MOST_ATTEMPTS:
            return pickle.dumps((ENDED_WORKERS, before))
        answer = pickle.dumps(self._result(index))
        self._ledger.end.remote(index, answer)
        return answer

    def _result(self, index) -> tuple[str, Any]:
        try:
            return DONE, self._do(self._units[index])
        except UserError as error:
            return REFUSED, str(error)
        except (MachineError, OSError, FloatingPointError) as error:
            return FAILED, f"{self._where}: {error}"
        except Exception:  # raised in the driver, with the unit's photos
            return FAILED, f"{self._where}: {traceback.format_exc()}"
