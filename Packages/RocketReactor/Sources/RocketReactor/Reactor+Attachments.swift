extension Reactor {
    /// The one object of that type that a layer above keeps with this loop, made on first use.
    /// It goes when the loop ends.
    public func attachment<Attached: AnyObject>(
        _ type: Attached.Type, make: (Reactor) -> Attached
    ) -> Attached {
        if let found = attachments[ObjectIdentifier(type)] as? Attached { return found }
        let made = make(self)
        attachments[ObjectIdentifier(type)] = made
        return made
    }
}
