"""The life cycle: Detected → Analyzing → Contained → Eradicated → Recovered → Post-Incident Review → Closed.

The phases follow NIST SP 800-61 Revision 2: detection and analysis; containment, eradication and recovery;
post-incident work. Revision 3 has no phases; they lie within its functions Detect, Respond and Recover.
"""

from django.db import models


class Status(models.TextChoices):
    """Where an incident stands; the order is the life cycle."""

    DETECTED = "detected", "Detected"
    ANALYZING = "analyzing", "Analyzing"
    CONTAINED = "contained", "Contained"
    ERADICATED = "eradicated", "Eradicated"
    RECOVERED = "recovered", "Recovered"
    REVIEW = "post_incident_review", "Post-Incident Review"
    CLOSED = "closed", "Closed"

    @property
    def position(self) -> int:
        """1 to 7."""
        return list(Status).index(self) + 1

    @property
    def next(self) -> "Status | None":
        """The step after this one."""
        return list(Status)[self.position] if self.position < len(Status) else None

    @property
    def stamp(self) -> str:
        """The field that keeps when the phase was entered."""
        return {"post_incident_review": "reviewed_at"}.get(self.value, f"{self.value}_at")

    @property
    def css(self) -> str:
        """The class that colours it (c-…)."""
        return "review" if self is Status.REVIEW else self.value


class Severity(models.TextChoices):
    """How bad it is, worst last."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class IncidentType(models.TextChoices):
    """What kind of incident it is."""

    SECURITY_BREACH = "security_breach", "Security breach"
    DATA_BREACH = "data_breach", "Data breach"
    MALWARE = "malware", "Malware"
    PHISHING = "phishing", "Phishing"
    DDOS = "ddos", "DDoS"
    UNAUTHORIZED_ACCESS = "unauthorized_access", "Unauthorized access"
    SYSTEM_OUTAGE = "system_outage", "System outage"
    DATA_LOSS = "data_loss", "Data loss"
    SERVICE_DEGRADATION = "service_degradation", "Service degradation"
    COMPLIANCE_VIOLATION = "compliance_violation", "Compliance violation"
    OTHER = "other", "Other"


class Tlp(models.TextChoices):
    """Traffic Light Protocol 2.0 (FIRST, August 2022)."""

    RED = "TLP:RED", "TLP:RED"
    AMBER_STRICT = "TLP:AMBER+STRICT", "TLP:AMBER+STRICT"
    AMBER = "TLP:AMBER", "TLP:AMBER"
    GREEN = "TLP:GREEN", "TLP:GREEN"
    CLEAR = "TLP:CLEAR", "TLP:CLEAR"


class Resolution(models.TextChoices):
    """How it ended."""

    RESOLVED = "resolved", "Resolved"
    FALSE_POSITIVE = "false_positive", "False positive"
    MERGED = "merged", "Merged into another incident"
