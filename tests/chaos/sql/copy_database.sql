-- A copy of a database as it is now; nobody may be connected to the original.
CREATE DATABASE :0 TEMPLATE :1 OWNER :2;
