"""Who may come in and do what on the cluster: users, rights, quotas; read, compared with a wish, and changed."""
