-- A whole database moves to another disk; nobody may be connected.
ALTER DATABASE :0 SET TABLESPACE :1;
