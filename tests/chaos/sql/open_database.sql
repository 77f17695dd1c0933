-- Everybody is let in again.
ALTER DATABASE :0 ALLOW_CONNECTIONS true;
