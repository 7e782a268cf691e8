"""German: each English sentence of a report and its translation. Names in braces are filled in."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from feltsense.report.german_more import APPENDIX, COURSE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GERMAN"]

_SESSION = {
    "Session report: {subject}": "Bericht über eine Aufzeichnung: {subject}",
    "Not a medical device, not a diagnosis: an estimate from body signals, compared with the person's own rest.": (
        "Kein Medizinprodukt, keine Diagnose: eine Schätzung aus Körpersignalen, verglichen mit der eigenen Ruhe der Person."
    ),
    "This is not a medical device and not a diagnosis. It does not find, rule out or follow any illness.": (
        "Dies ist kein Medizinprodukt und keine Diagnose. Es erkennt keine Krankheit, schließt keine aus und verfolgt keine."
    ),
    "An estimate says how this person's signals compare with their own rest and with people in a laboratory task. "
    "It is not a measurement of how someone feels, and the person's own word comes first.": (
        "Eine Schätzung sagt, wie sich die Signale dieser Person zu ihrer eigenen Ruhe und zu Menschen in einer "
        "Laboraufgabe verhalten. Sie misst nicht, wie sich jemand fühlt; was die Person selbst sagt, geht vor."
    ),
    "Exercise, talking, heat, cold, coffee, medicines and a loose sensor change the same signals.": (
        "Bewegung, Sprechen, Wärme, Kälte, Kaffee, Medikamente und ein lockerer Sensor verändern dieselben Signale."
    ),
    "Nobody watches these data live. In an emergency, call the local emergency number.": (
        "Niemand sieht diese Daten in Echtzeit. Im Notfall den örtlichen Notruf wählen."
    ),
    "What this does not mean": "Was dies nicht bedeutet",
    "the person who gave it to you": "die Person, die ihn Ihnen gegeben hat",
    "Questions about this report: {whom}.": "Fragen zu diesem Bericht: {whom}.",
    "Person": "Person",
    "Start": "Beginn",
    "Length": "Dauer",
    "Devices": "Geräte",
    "Calibration": "Kalibrierung",
    "Beats corrected": "Zu korrigierende Herzschläge",
    "{length} from {streams}": "{length} aus {streams}",
    "stream": "Datenstrom",
    "streams": "Datenströmen",
    "gap": "Lücke",
    "gaps": "Lücken",
    "no gap": "keine Lücke",
    "No model was applied.": "Es wurde kein Modell angewandt.",
    "No window outside the calibration.": "Kein Fenster außerhalb der Kalibrierung.",
    "{share} of the windows outside calibration have an estimate; {n} of these {all} is “{about}”.": (
        "{share} der Fenster außerhalb der Kalibrierung haben eine Schätzung; {n} von diesen {all} lautet „{about}“."
    ),
    "{share} of the windows outside calibration have an estimate; {n} of these {all} are “{about}”.": (
        "{share} der Fenster außerhalb der Kalibrierung haben eine Schätzung; {n} von diesen {all} lauten „{about}“."
    ),
    "Before you read": "Vor dem Lesen",
    "This recording is synthetic: the person does not exist.": "Diese Aufzeichnung ist künstlich: Die Person gibt es nicht.",
    "The profile belongs to {one}, the recording to {other}: "
    "the comparison with the own baseline holds only if they are the same person.": (
        "Das Profil gehört zu {one}, die Aufzeichnung zu {other}: Der Vergleich mit der eigenen Ruhe gilt nur, wenn es "
        "dieselbe Person ist."
    ),
    "The rest baseline comes from another recording; electrode and sensor placement may differ.": (
        "Die Ruhewerte stammen aus einer anderen Aufzeichnung; Elektroden und Sensoren können anders gesessen haben."
    ),
    "Thin data, usable in fewer than half of the windows: {titles}.": (
        "Wenige Daten, in weniger als der Hälfte der Fenster brauchbar: {titles}."
    ),
    "{t0}": "{t0}",
    "{t0}, {t1}": "{t0}, {t1}",
    "{t0}, {t1}, {t2}": "{t0}, {t1}, {t2}",
    "{t0}, {t1}, {t2}, {t3}": "{t0}, {t1}, {t2}, {t3}",
    "{t0}, {t1}, {t2}, {t3}, {t4}": "{t0}, {t1}, {t2}, {t3}, {t4}",
    "The recording is shorter than one window, or has no signal that a number can be taken from.": (
        "Die Aufzeichnung ist kürzer als ein Fenster oder hat kein Signal, aus dem sich eine Zahl gewinnen lässt."
    ),
    "Calibrated to this person on {n} s of known rest in this recording.": (
        "Auf diese Person kalibriert, mit {n} s bekannter Ruhe in dieser Aufzeichnung."
    ),
    "Calibrated to this person on known rest in another recording.": (
        "Auf diese Person kalibriert, mit bekannter Ruhe in einer anderen Aufzeichnung."
    ),
    "Not calibrated. The recording marks {n} s of known rest; the numbers are compared with it.": (
        "Nicht kalibriert. In der Aufzeichnung sind {n} s bekannte Ruhe markiert; mit ihr werden die Zahlen verglichen."
    ),
    "Not calibrated: no rest of this person is known, so nothing can be compared with an own baseline.": (
        "Nicht kalibriert: Es ist keine Ruhe dieser Person bekannt, daher gibt es keinen Vergleich mit eigenen Werten."
    ),
    "Numbers": "Zahlen",
    "Afterwards": "Danach",
    "Whole recording": "Ganze Aufzeichnung",
    "Own rest": "Eigene Ruhe",
    "Own rest, earlier recording": "Eigene Ruhe, frühere Aufzeichnung",
    "mean ± one standard deviation": "Mittelwert ± eine Standardabweichung",
    "the same over the known rest": "dasselbe über die bekannte Ruhe",
    "{after}: median (and the range of the middle 80 %) over windows of {window} s; {rest}: {spread}. "
    "The comparison is with the person's own rest, not with other people. Usable windows: {usable}.": (
        "{after}: Median (und Bereich der mittleren 80 %) über Fenster von {window} s; {rest}: {spread}. "
        "Verglichen wird mit der eigenen Ruhe der Person, nicht mit anderen Menschen. Brauchbare Fenster: {usable}."
    ),
    "at rest, then afterwards": "in Ruhe, dann danach",
    "of all": "von allen",
    "Change": "Änderung",
    "Usable windows": "Brauchbare Fenster",
    "{median} ({low} to {high})": "{median} ({low} bis {high})",
    "{low} to {high}": "{low} bis {high}",
    "thin data": "wenige Daten",
    "Heart rate": "Herzfrequenz",
    "Heart rate (pulse)": "Herzfrequenz (Puls)",
    "RMSSD": "RMSSD",
    "SDNN": "SDNN",
    "PRV RMSSD (pulse)": "PRV-RMSSD (Puls)",
    "Skin conductance level (SCL)": "Hautleitwert (SCL)",
    "Skin conductance responses (SCR ≥ 0.05 µS)": "Hautleitreaktionen (SCR ≥ 0,05 µS)",
    "Skin temperature": "Hauttemperatur",
    "Estimate": "Schätzung",
    "Estimate: {target}": "Schätzung: {target}",
    "No model was applied to this recording.": "Auf diese Aufzeichnung wurde kein Modell angewandt.",
    "estimated as “{label}”": "geschätzt als „{label}“",
    "no estimate: {why}": "keine Schätzung: {why}",
    "no estimate": "keine Schätzung",
    "{n} of {all} ({share}) {what}": "{n} von {all} ({share}) {what}",
    "Probability of “{about}”, and the decision underneath": "Wahrscheinlichkeit für „{about}“, darunter die Entscheidung",
    "Outside the calibration interval, {n} windows:": "Außerhalb der Kalibrierung, {n} Fenster:",
    "In {n} of the {all} decided windows the other class cannot be ruled out (hatched).": (
        "In {n} der {all} entschiedenen Fenster lässt sich die andere Klasse nicht ausschließen (schraffiert)."
    ),
    "{n} windows overlap the calibration interval and are not counted.": (
        "{n} Fenster überschneiden sich mit der Kalibrierung und zählen nicht mit."
    ),
    "Where it estimated “{about}”, these parts moved the estimate on average (log odds, + towards “{about}”): {names}.": (
        "Wo „{about}“ geschätzt wurde, haben diese Teile im Mittel so viel beigetragen "
        "(Log-Odds, + in Richtung „{about}“): {names}."
    ),
    "Legend": "Legende",
    "another class cannot be ruled out": "eine andere Klasse lässt sich nicht ausschließen",
    "Course of each number": "Verlauf jeder Zahl",
    "Devices and streams": "Geräte und Datenströme",
    "Stream": "Datenstrom",
    "Device": "Gerät",
    "Rate": "Rate",
    "Received": "Empfangen",
    "Missing": "Fehlend",
    "No reading": "Ohne Wert",
    "Coverage": "Abdeckung",
    "irregular": "unregelmäßig",
    "Samples. Coverage is the share of the whole recording in which the stream has a reading.": (
        "Abtastwerte. Die Abdeckung ist der Anteil der ganzen Aufzeichnung, in dem der Datenstrom einen Wert hat."
    ),
    "When each stream delivered data; ▾ marks a gap": "Wann jeder Datenstrom Daten lieferte; ▾ ist eine Lücke",
    "Gaps": "Lücken",
    "No gap in any sampled stream.": "Keine Lücke in einem Datenstrom mit fester Rate.",
    "From": "Von",
    "To": "Bis",
    "Samples missing": "Fehlende Werte",
    "Why": "Warum",
    "Times from the start of the recording. Nothing was filled in.": (
        "Zeiten ab Beginn der Aufzeichnung. Nichts wurde ergänzt."
    ),
    "shorter gap": "kürzere Lücke",
    "shorter gaps": "kürzere Lücken",
    "And {gaps}, {length} in all.": "Und {gaps}, zusammen {length}.",
    "{stream}: {gaps}, {length} in all, where the device gave no values.": (
        "{stream}: {gaps}, zusammen {length}, in denen das Gerät keine Werte gab."
    ),
    "Signal": "Signal",
    "Quality": "Güte",
    "Windows": "Fenster",
    "Lowered by": "Gemindert durch",
    "Quality from 0 to 1: median (and the range of the middle 80 %) over windows of {window} s. Numbers are made of the "
    "good parts of a window: a low quality leaves fewer of them.": (
        "Güte von 0 bis 1: Median (und Bereich der mittleren 80 %) über Fenster von {window} s. Zahlen entstehen aus den "
        "guten Teilen eines Fensters: Eine geringe Güte lässt weniger davon."
    ),
    "Signal quality": "Güte der Signale",
    "Timeline of labels, marks, answers and connections": "Zeitleiste: Abschnitte, Marken, Antworten und Verbindungen",
    "Timeline": "Zeitleiste",
    "Events": "Ereignisse",
    "At": "Bei",
    "UTC": "UTC",
    "What": "Was",
    "Labels, markers, notes and connections.": "Abschnitte, Marken, Notizen und Verbindungen.",
    "And {n} more.": "Und {n} weitere.",
    "Model": "Modell",
    "Trained on": "Trainiert mit",
    "On unseen people": "Bei unbekannten Menschen",
    "{mean} (least: {stream}, {least})": "{mean} (am wenigsten: {stream}, {least})",
    "balanced accuracy {value} on people left out ({what})": (
        "balancierte Genauigkeit {value} bei ausgelassenen Menschen ({what})"
    ),
    "balanced accuracy {value} [{low}, {high}] on people left out ({what})": (
        "balancierte Genauigkeit {value} [{low}; {high}] bei ausgelassenen Menschen ({what})"
    ),
    "calibrated on 270 s of rest": "kalibriert mit 270 s Ruhe",
    "this model, person not calibrated": "dieses Modell, Person nicht kalibriert",
    "{data}; {n} people": "{data}; {n} Menschen",
    "{data}; {n} people; {notice}": "{data}; {n} Menschen; {notice}",
    "Stress-Predict-Dataset, MIT licence, (c) 2022 Talha Iqbal": "Stress-Predict-Dataset, MIT-Lizenz, (c) 2022 Talha Iqbal",
}
_CHARTS = {
    "Probability of {about} from 0 to 1 for {n} windows.": "Wahrscheinlichkeit für {about} von 0 bis 1 für {n} Fenster.",
    "The highest is {value} in the window from {when}.": "Die höchste ist {value} im Fenster von {when}.",
    "Estimated probability of {about} over time": "Geschätzte Wahrscheinlichkeit für {about} im Zeitverlauf",
    "decision": "Entscheidung",
    "left open": "offen",
    "own rest": "eig. Ruhe",
    "known rest": "bekannte Ruhe",
    "{title} from {low} to {high} {unit} over {n} usable windows.": (
        "{title} von {low} bis {high} {unit} über {n} brauchbare Fenster."
    ),
    "The own rest ranges from {low} to {high} {unit}.": "Die eigene Ruhe reicht von {low} bis {high} {unit}.",
    "{title} over time": "{title} im Zeitverlauf",
    "When each stream delivered data": "Wann jeder Datenstrom Daten lieferte",
    "{n} samples": "{n} Werte",
    "{share} covered": "{share} abgedeckt",
    "Estimated as {about}: {when}.": "Geschätzt als {about}: {when}.",
    "Never estimated as {about}.": "Nie geschätzt als {about}.",
}
_OUTSIDE = {
    "lost on the radio while connected": "auf dem Funkweg verloren, bei bestehender Verbindung",
    "the connection was down": "keine Verbindung",
    "connected, but the sensor sent nothing": "verbunden, aber der Sensor sandte nichts",
    "the sensor or the recorder started anew": "Sensor oder Aufzeichnung begannen neu",
    "the recorder was too slow": "die Aufzeichnung war zu langsam",
    "arrived damaged and was refused": "kam beschädigt an und wurde abgewiesen",
    "missing in the imported file": "fehlt in der eingelesenen Datei",
    "no class could be ruled out": "keine Klasse ließ sich ausschließen",
    "no usable signal": "kein brauchbares Signal",
    "stress": "Belastung",
    "rest": "Ruhe",
    "recovery": "Erholung",
    "calibration": "Kalibrierung",
    "label": "Abschnitt",
    "marker": "Marke",
    "note": "Notiz",
    "connected": "verbunden",
    "disconnected": "Verbindung verloren",
    "clock reset": "Uhr zurückgesetzt",
    "answer": "Antwort",
    "Source": "Herkunft",
    "Recorder": "Aufgezeichnet von",
    "skin temperature": "Hauttemperatur",
    "interaction": "Zusammenwirken",
    "starting value": "Ausgangswert",
    "ECG": "EKG",
    "pulse": "Puls",
    "skin conductance": "Hautleitwert",
    "movement": "Bewegung",
    "motion": "Bewegung",
    "no speech": "keine Sprache",
    "music": "Musik",
    "no face": "kein Gesicht",
    "several faces": "mehrere Gesichter",
    "dark": "zu dunkel",
    "covered": "verdeckt",
    "blur": "unscharf",
    "respiration": "Atmung",
    "voice": "Stimme",
    "face": "Gesicht",
    "no signal": "kein Signal",
    "flatline": "Nulllinie",
    "saturated": "übersteuert",
    "off skin": "nicht auf der Haut",
    "artefact": "Artefakt",
    "noise": "Rauschen",
    "warm up": "Einlaufzeit",
    "wrong rate": "falsche Rate",
    "disagree": "Widerspruch",
    "{part}, last {n} s": "{part}, letzte {n} s",
    "not in the bundle; see its model card and feltsense evaluate": (
        "nicht im Modell angegeben; siehe Modellkarte und feltsense evaluate"
    ),
}

_PLAIN = {
    "Your recording": "Ihre Aufzeichnung",
    "You were recorded for {length}, from {start} (UTC).": "Aufgezeichnet wurden {length}, ab {start} (UTC).",
    "Your code": "Ihr Kürzel",
    "Your data are yours": "Ihre Daten gehören Ihnen",
    "You may ask for a copy of everything that was recorded.": (
        "Sie können eine Kopie von allem verlangen, was aufgezeichnet wurde."
    ),
    "You may stop at any time, without a reason, and have your recordings erased.": (
        "Sie können jederzeit aufhören, ohne Grund, und Ihre Aufzeichnungen löschen lassen."
    ),
    "If something here worries you, talk to somebody you trust, or ask: {whom}.": (
        "Wenn Sie hier etwas beunruhigt, sprechen Sie mit jemandem, dem Sie vertrauen, oder fragen Sie: {whom}."
    ),
    "The sensors delivered data for {share} of the time.": "Die Sensoren lieferten in {share} der Zeit Daten.",
    "There were {gaps}; nothing was filled in.": "Es gab {gaps}; nichts wurde ergänzt.",
    "What was recorded": "Was aufgezeichnet wurde",
    "How your body was": "Wie Ihr Körper war",
    "There is no rest of yours to compare with, or not enough usable data.": (
        "Es gibt keine Ruhe von Ihnen zum Vergleich oder zu wenige brauchbare Daten."
    ),
    "Your heart beat faster than at rest: {now} instead of {rest} times a minute.": (
        "Ihr Herz schlug schneller als in Ruhe: {now}-mal statt {rest}-mal in der Minute."
    ),
    "Your heart beat more slowly than at rest: {now} instead of {rest} times a minute.": (
        "Ihr Herz schlug langsamer als in Ruhe: {now}-mal statt {rest}-mal in der Minute."
    ),
    "Your heart beat as at rest: {now} times a minute.": "Ihr Herz schlug wie in Ruhe: {now}-mal in der Minute.",
    "The time from beat to beat varied more than at rest.": "Die Zeit von Schlag zu Schlag schwankte mehr als in Ruhe.",
    "The time from beat to beat varied less than at rest.": "Die Zeit von Schlag zu Schlag schwankte weniger als in Ruhe.",
    "The time from beat to beat varied as at rest.": "Die Zeit von Schlag zu Schlag schwankte wie in Ruhe.",
    "Your skin was moister than at rest.": "Ihre Haut war feuchter als in Ruhe.",
    "Your skin was drier than at rest.": "Ihre Haut war trockener als in Ruhe.",
    "Your skin was as moist as at rest.": "Ihre Haut war so feucht wie in Ruhe.",
    "Your skin was warmer than at rest: {now} instead of {rest} °C.": (
        "Ihre Haut war wärmer als in Ruhe: {now} statt {rest} °C."
    ),
    "Your skin was cooler than at rest: {now} instead of {rest} °C.": (
        "Ihre Haut war kühler als in Ruhe: {now} statt {rest} °C."
    ),
    "Your skin was as warm as at rest: {now} °C.": "Ihre Haut war so warm wie in Ruhe: {now} °C.",
    "The program compared your signals with your own rest. In {n} of {all} pieces of time it would say “{about}”; "
    "in {silent} it says nothing, because it is not sure or has no data.": (
        "Das Programm hat Ihre Signale mit Ihrer eigenen Ruhe verglichen. In {n} von {all} Zeitabschnitten würde es "
        "„{about}“ sagen; in {silent} sagt es nichts, weil es nicht sicher ist oder keine Daten hat."
    ),
    "It can be wrong. What you felt yourself counts more.": (
        "Es kann sich irren. Was Sie selbst empfunden haben, zählt mehr."
    ),
    "When it would say so: dark pieces below": "Wann es das sagen würde: dunkle Stücke unten",
    "What the program makes of it": "Was das Programm daraus macht",
    "The program has learned from other people: {data}.": "Das Programm hat von anderen Menschen gelernt: {data}.",
    "What you said yourself": "Was Sie selbst sagten",
}

GERMAN: Mapping[str, str] = MappingProxyType(_SESSION | _CHARTS | _OUTSIDE | _PLAIN | COURSE | APPENDIX)
