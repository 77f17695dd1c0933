"""The shut doors of a secured stack: who may log in, over TLS with certificates of its own authority.

CLIENTS, PROXIED   SASL_SSL, SCRAM-SHA-256 and -512
MUTUAL             SSL with a client's certificate: its common name is the user
CONTROLLER         the same; also the broker's way to itself. Nobody is let in without a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from processor.devstack.kafka_config import BrokerPorts

if TYPE_CHECKING:
    from processor.devstack.certificates import Certificates

#: May do everything on the cluster.
ADMIN: Final = "croupier-admin"
#: The installation's own user: worker and operator in one, as it is one person's stack.
USER: Final = "croupier"
BROKER: Final = "broker"
POSTGRES: Final = "postgres"
_SCRAM: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_LOGIN: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@dataclass(frozen=True)
class Doors:
    """What a secured stack has beside a plain one."""

    certificates: Certificates
    admin_password: str
    user_password: str

    def broker_properties(self, ports: BrokerPorts) -> dict[str, str]:
        """In place of the plain listeners."""
        clients = ("clients", "proxied")
        return {
            **self.controller_properties(),
            "listeners": f"CLIENTS://127.0.0.1:{ports.plain},PROXIED://127.0.0.1:{ports.proxied},"
            f"MUTUAL://127.0.0.1:{ports.mutual},CONTROLLER://127.0.0.1:{ports.controller}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{ports.plain},PROXIED://127.0.0.1:{ports.proxy},"
            f"MUTUAL://127.0.0.1:{ports.mutual}",
            "inter.broker.listener.name": "MUTUAL",
            "sasl.enabled.mechanisms": ",".join(_SCRAM),
            **{
                f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config": _LOGIN
                for listener in clients
                for mechanism in _SCRAM
            },
        }

    def controller_properties(self) -> dict[str, str]:
        """What a controller alone needs of it."""
        return {
            "listener.security.protocol.map": "CONTROLLER:SSL,MUTUAL:SSL,CLIENTS:SASL_SSL,PROXIED:SASL_SSL",
            "listener.name.controller.ssl.client.auth": "required",
            "listener.name.mutual.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificates.both(BROKER)),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.authority),
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN};User:{BROKER}",
        }

    def first_users(self) -> list[str]:
        """The storage tool's words that make both users, for both mechanisms."""
        passwords = {ADMIN: self.admin_password, USER: self.user_password}
        return [
            word
            for name, password in passwords.items()
            for mechanism in _SCRAM
            for word in ("--add-scram", f"{mechanism}=[name={name},password={password}]")
        ]

    def environment(self) -> dict[str, str]:
        """The variables that let the program into the secured Kafka."""
        return {
            "CROUPIER_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "CROUPIER_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "CROUPIER_KAFKA_SASL_USERNAME": USER,
            "CROUPIER_KAFKA_SASL_PASSWORD": self.user_password,
            "CROUPIER_KAFKA_ADMIN_USERNAME": ADMIN,
            "CROUPIER_KAFKA_ADMIN_PASSWORD": self.admin_password,
            "CROUPIER_KAFKA_CA_FILE": str(self.certificates.authority),
        }

    def admin_options(self) -> dict[str, Any]:
        """Keyword arguments of an aiokafka client that logs in as the administrator."""
        from processor.devstack.stack import settings_from
        from processor.kafka.security import as_admin, security_options

        return security_options(as_admin(settings_from(self.environment())))

    def postgres_settings(self, directory: Path) -> dict[str, str]:
        """TLS for the server, whose certificate and key lie in this directory."""
        return {
            "ssl": "on",
            "ssl_cert_file": f"'{directory / 'server.crt'}'",
            "ssl_key_file": f"'{directory / 'server.key'}'",
            "ssl_min_protocol_version": "'TLSv1.2'",
        }
