package keyring

// PrimaryKeyID is the id of the key that seals now.
func (k *Keyring) PrimaryKeyID() uint32 { return k.primary }
