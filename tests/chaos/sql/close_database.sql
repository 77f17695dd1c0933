-- Nobody new is let in.
ALTER DATABASE :0 ALLOW_CONNECTIONS false;
