"""German of the reports over days and of the appendix; :mod:`feltsense.report.german` has the rest."""

from __future__ import annotations

__all__ = ["APPENDIX", "COURSE"]

COURSE = {
    "Course over {n} days: {subject}": "Verlauf über {n} Tage: {subject}",
    "{n} of {all} days have a recording, {length} in all.": "An {n} von {all} Tagen wurde aufgezeichnet, zusammen {length}.",
    "Own range": "Eigener Bereich",
    "Last {n} days": "Letzte {n} Tage",
    "Usable days": "Brauchbare Tage",
    "Own range: median (and middle 80 %) of this person's usable days before the last {n}. No other people are in it. "
    "A day is usable with at least ten usable minutes, and half of its minutes usable.": (
        "Eigener Bereich: Median (und mittlere 80 %) der brauchbaren Tage dieser Person vor den letzten {n}. Andere "
        "Menschen gehen nicht ein. Ein Tag ist brauchbar mit mindestens zehn brauchbaren Minuten und mindestens der "
        "Hälfte seiner Minuten."
    ),
    "No number could be measured on any of these days.": "An keinem dieser Tage ließ sich eine Zahl messen.",
    "{title}: {n} days with a value, {thin} of them thin, from {low} to {high} {unit}.": (
        "{title}: {n} Tage mit einem Wert, {thin} davon mit wenigen Daten, von {low} bis {high} {unit}."
    ),
    "{title} over the days": "{title} über die Tage",
    "Grey area: own range. Bars: usable share of each day, or an answer. Grey dots and bars: too little usable data.": (
        "Graue Fläche: eigener Bereich. Balken: brauchbarer Teil des Tages oder Antwort. Graue Punkte, Balken: wenig Daten."
    ),
    "Of {all} minutes outside the calibration {decided} ({share}) have an estimate; {n} of these are “{about}”.": (
        "Von {all} Minuten außerhalb der Kalibrierung haben {decided} ({share}) eine Schätzung; {n} davon lauten „{about}“."
    ),
    "No estimate in {n} minutes ({reasons}).": "Keine Schätzung in {n} Minuten ({reasons}).",
    "In {n} of the {all} decided minutes the other class cannot be ruled out.": (
        "In {n} der {all} entschiedenen Minuten lässt sich die andere Klasse nicht ausschließen."
    ),
    "Minutes estimated as “{about}”": "Als „{about}“ geschätzte Minuten",
    "No estimate": "Ohne Schätzung",
    "Minutes of all minutes with an estimate, minutes without one, and the mean of the day's own answers.": (
        "Minuten von allen mit einer Schätzung, Minuten ohne, und der Mittelwert der eigenen Antworten des Tages."
    ),
    "Estimates and answers of each day": "Schätzungen und Antworten jedes Tages",
    "Calibrated to this person on {n} s of known rest.": "Auf diese Person kalibriert, mit {n} s bekannter Ruhe.",
    "Not calibrated: no rest of this person is known, so the estimates are those for people in general.": (
        "Nicht kalibriert: Es ist keine Ruhe dieser Person bekannt, die Schätzungen gelten für Menschen im Allgemeinen."
    ),
    "Your last {n} days": "Ihre letzten {n} Tage",
    "You recorded on {n} of {all} days, {length} in all.": (
        "Sie haben an {n} von {all} Tagen aufgezeichnet, zusammen {length}."
    ),
    "When": "Wann",
    "How your body was in the last {n} days": "Wie Ihr Körper in den letzten {n} Tagen war",
    "There are not enough days with usable data to compare.": (
        "Für einen Vergleich gibt es zu wenige Tage mit brauchbaren Daten."
    ),
    "Your heart beat faster than in the days before: {now} instead of {before} times a minute.": (
        "Ihr Herz schlug schneller als an den Tagen davor: {now}-mal statt {before}-mal in der Minute."
    ),
    "Your heart beat more slowly than in the days before: {now} instead of {before} times a minute.": (
        "Ihr Herz schlug langsamer als an den Tagen davor: {now}-mal statt {before}-mal in der Minute."
    ),
    "Your heart beat as in the days before: {now} times a minute.": (
        "Ihr Herz schlug wie an den Tagen davor: {now}-mal in der Minute."
    ),
    "The time from beat to beat varied more than in the days before.": (
        "Die Zeit von Schlag zu Schlag schwankte mehr als an den Tagen davor."
    ),
    "The time from beat to beat varied less than in the days before.": (
        "Die Zeit von Schlag zu Schlag schwankte weniger als an den Tagen davor."
    ),
    "The time from beat to beat varied as in the days before.": (
        "Die Zeit von Schlag zu Schlag schwankte wie an den Tagen davor."
    ),
    "Your skin was moister than in the days before.": "Ihre Haut war feuchter als an den Tagen davor.",
    "Your skin was drier than in the days before.": "Ihre Haut war trockener als an den Tagen davor.",
    "Your skin was as moist as in the days before.": "Ihre Haut war so feucht wie an den Tagen davor.",
    "Your skin was warmer than in the days before: {now} instead of {before} °C.": (
        "Ihre Haut war wärmer als an den Tagen davor: {now} statt {before} °C."
    ),
    "Your skin was cooler than in the days before: {now} instead of {before} °C.": (
        "Ihre Haut war kühler als an den Tagen davor: {now} statt {before} °C."
    ),
    "Your skin was as warm as in the days before: {now} °C.": "Ihre Haut war so warm wie an den Tagen davor: {now} °C.",
    "How often your heart beat a minute": "Wie oft Ihr Herz in der Minute schlug",
    "How warm your skin was, °C": "Wie warm Ihre Haut war, °C",
    "Each dot is a day. Grey dots: too few data to lean on. Grey area: how it usually was before.": (
        "Jeder Punkt ist ein Tag. Graue Punkte: zu wenige Daten, um sich darauf zu stützen. Graue Fläche: wie es davor "
        "meist war."
    ),
    "In {n} of {all} minutes it would say “{about}”; in {silent} it says nothing, because it is not sure or has no data.": (
        "In {n} von {all} Minuten würde es „{about}“ sagen; in {silent} sagt es nichts, weil es nicht sicher ist oder keine "
        "Daten hat."
    ),
    "Day by day": "Tag für Tag",
    "Own answers to “{prompt}”: {n} answers.": "Eigene Antworten auf „{prompt}“: {n} Antworten.",
    "Own answers to “{prompt}”": "Eigene Antworten auf „{prompt}“",
    "What the person said": "Was die Person selbst sagte",
    "Day": "Tag",
    "Recorded": "Aufgezeichnet",
    "Median of each day's usable minutes (and how many of how many). Grey: thin, or nothing recorded.": (
        "Median der brauchbaren Minuten jedes Tages (und wie viele von wie vielen). Grau: wenige Daten oder keine."
    ),
    "All days": "Alle Tage",
    "Coverage of a study": "Abdeckung einer Studie",
    "Sessions": "Sitzungen",
    "Days": "Tage",
    "Last day": "Letzter Tag",
    "Days with data": "Tage mit Daten",
    "Days with data of each person: {told}.": "Tage mit Daten jeder Person: {told}.",
    "person": "Person",
    "people": "Personen",
    "Recordings only: nothing here says how anybody felt.": "Nur Aufzeichnungen: Nichts hier sagt, wie es jemandem ging.",
    "Who recorded when": "Wer wann aufzeichnete",
    "Each square is a day: white without a recording, the darker, the more of it has data": (
        "Jedes Feld ist ein Tag: weiß ohne Aufzeichnung, je dunkler, desto mehr davon hat Daten"
    ),
    "Grey: fewer than half of the days.": "Grau: weniger als die Hälfte der Tage.",
    "Files that could not be read": "Dateien, die sich nicht lesen ließen",
}

APPENDIX = {
    "Heart rate variability, long form": "Herzfrequenzvariabilität, ausführlich",
    "Skin conductance, long form": "Hautleitwert, ausführlich",
    "There is no ECG and no skin conductance to analyse at length.": (
        "Es gibt weder EKG noch Hautleitwert, die sich ausführlich auswerten ließen."
    ),
    "Computed by {library}.": "Berechnet mit {library}.",
    "{n} intervals from {low} to {high} ms.": "{n} Abstände von {low} bis {high} ms.",
    "Tachogram: NN intervals over time": "Tachogramm: NN-Abstände im Zeitverlauf",
    "Tachogram: NN intervals over time, ms": "Tachogramm: NN-Abstände im Zeitverlauf, ms",
    "{n} pairs; SD1 {sd1} ms across the diagonal, SD2 {sd2} ms along it.": (
        "{n} Paare; SD1 {sd1} ms quer zur Diagonale, SD2 {sd2} ms entlang."
    ),
    "Poincaré plot: each NN interval against the next": "Poincaré-Diagramm: jeder NN-Abstand gegen den nächsten",
    "Poincaré plot: each NN interval (ms) against the next": "Poincaré-Diagramm: jeder NN-Abstand (ms) gegen den nächsten",
    "Only the first {n} intervals are drawn.": "Nur die ersten {n} Abstände sind gezeichnet.",
    "Heart beats": "Herzschläge",
    "{method}, {stream}: {n} NN intervals, {length} usable, {share} left out.": (
        "{method}, {stream}: {n} NN-Abstände, {length} brauchbar, {share} ausgelassen."
    ),
    "Tonic part from {low} to {high} µS; the measured line lies behind it.": (
        "Tonischer Anteil von {low} bis {high} µS; die gemessene Linie liegt dahinter."
    ),
    "Skin conductance and its tonic part": "Hautleitwert und sein tonischer Anteil",
    "Phasic part from {low} to {high} µS with {n} responses of at least 0.05 µS.": (
        "Phasischer Anteil von {low} bis {high} µS mit {n} Reaktionen ab 0,05 µS."
    ),
    "Phasic part of the skin conductance": "Phasischer Anteil des Hautleitwerts",
    "{title}, µS; a stroke marks the onset of a response": "{title}, µS; ein Strich ist der Beginn einer Reaktion",
    "Index": "Maß",
    "Value": "Wert",
    "Skin conductance separated in several ways; they need not agree.": (
        "Hautleitwert auf mehrere Arten zerlegt; sie müssen nicht übereinstimmen."
    ),
    "too short": "zu kurz",
    "too few beats": "zu wenige Schläge",
    "not supported": "nicht möglich",
    "none found": "keine gefunden",
}
