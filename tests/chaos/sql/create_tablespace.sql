-- A folder of its own for a database: :folder is a quoted literal (a statement of this kind takes no parameters).
CREATE TABLESPACE :0 LOCATION :folder;
