"""A study: what may be recorded, who agreed to it, and how it is taken back.

The interface for an app, all of it free of files and clocks but where a path is given::

    study = Study.load("study.yaml")             # validated; StudyError says what is wrong and where
    study.streams                                # {"ecg": StreamRule, …}: everything else is off
    study.prompts, study.tasks, study.consent    # texts by language: study.consent.text["de"]
    due(study.prompts, day, "P01", zone)         # when today's prompts come: [Due(t_ns, key, …), …]
    after_change(study.prompts, now_ns, keys, zone)   # what a detected change asks
    answer_events(t_ns, [("tense", "40")])            # write them: a report shows them beside the physiology

    consent = Consent(study)                     # nothing is allowed
    events = consent.give(["ecg"], "A. B.", t_ns)            # events to write into the recording
    consent.allows("ecg")                        # True
    events = consent.withdraw(["ecg"], t_ns, erase=True)     # stop now; what is there is to be erased
    consent = Consent.of(study, recording.events)            # after a restart

    erase_participant(folder, "P01", vault)      # key destroyed, files overwritten, then searched: a proof, or StudyError
    erase_streams(path, ["eda"], key)            # one stream out of a recording
    Audit(path).note("export", "P01.felt")       # append-only, hash chain; Audit(path).check()

    seal_export(recording, out, study.public_key)            # only the study can open it: open_export(out, private)
    deidentify(recording, "X7", shift_days=-812)
"""

from __future__ import annotations

from feltsense.study.answers import answer_events
from feltsense.study.audit import Audit
from feltsense.study.consent import Consent
from feltsense.study.deidentify import deidentify
from feltsense.study.erase import Erased, erase_participant, erase_streams
from feltsense.study.schedule import Due, When, after_change, due
from feltsense.study.schema import Prompt, StreamRule, Study, Task
from feltsense.study.sealed import new_study_key, open_export, seal_export

__all__ = [
    "Audit",
    "Consent",
    "Due",
    "Erased",
    "Prompt",
    "StreamRule",
    "Study",
    "Task",
    "When",
    "after_change",
    "answer_events",
    "deidentify",
    "due",
    "erase_participant",
    "erase_streams",
    "new_study_key",
    "open_export",
    "seal_export",
]
