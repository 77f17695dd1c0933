"""The Kafka room: the only one that says aiokafka. Its doors are `ports.EventReader` and `ports.Publisher`."""
