"""Operations: what each type does once every guard has let it pass. One file per family."""
