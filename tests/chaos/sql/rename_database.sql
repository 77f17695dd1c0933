-- One database under another name; nobody may be connected.
ALTER DATABASE :0 RENAME TO :1;
