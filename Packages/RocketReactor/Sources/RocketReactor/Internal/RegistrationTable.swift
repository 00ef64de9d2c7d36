/// The loop's registrations by descriptor number. A token names one registration for ever: its
/// generation in the upper half, its number in the lower. So an event that was meant for an
/// earlier owner of the number finds nobody.
struct RegistrationTable {
    private var slots: ContiguousArray<Registration?> = []
    private var generation: UInt32 = 0
    private(set) var count = 0

    /// A token for `raw` that no registration has had.
    mutating func makeToken(_ raw: Int32) -> UInt64 {
        generation &+= 1
        return UInt64(generation) << 32 | UInt64(UInt32(bitPattern: raw))
    }

    /// The registration that the token names, if it is still there.
    subscript(token: UInt64) -> Registration? {
        let index = Int(token & 0xffff_ffff)
        guard index < slots.count, let found = slots[index], found.token == token else {
            return nil
        }
        return found
    }

    mutating func insert(_ registration: Registration) {
        let index = Int(registration.raw)
        while slots.count <= index { slots.append(nil) }
        precondition(slots[index] == nil, "a descriptor is registered once at a time")
        slots[index] = registration
        count += 1
    }

    mutating func remove(_ registration: Registration) {
        slots[Int(registration.raw)] = nil
        count -= 1
    }

    /// Empties the table and gives back what was in it.
    mutating func removeAll() -> [Registration] {
        defer { self = RegistrationTable() }
        return slots.compactMap { $0 }
    }
}
