/// What happens to one file.
struct PlanStep: Equatable {
    /// In the order in which a summary lists them.
    enum Action: Equatable {
        /// There is none yet.
        case create
        /// The generated file, or its renewed part, has changed.
        case renew
        /// As `renew`, after what somebody wrote into it has been kept under this path.
        case keepAndRenew(String)
        /// A generated file that nothing is generated for any more.
        case remove
        /// As `remove`; what somebody wrote into it goes to this path.
        case keepAndRemove(String)
        /// Is as it should be already.
        case leaveEqual
        /// Is there, and yours.
        case leaveYours
    }

    var path: String
    var action: Action
    /// What the file holds now; nil where there is none.
    var old: String?
    /// What it shall hold; not used for files that are left or removed.
    var text: String
    var isExecutable = false

    /// Whether anything is written, or removed.
    var writes: Bool { action != .leaveEqual && action != .leaveYours }

    /// Whether the file is gone afterwards.
    var removes: Bool {
        switch action {
        case .remove, .keepAndRemove: true
        case .create, .renew, .keepAndRenew, .leaveEqual, .leaveYours: false
        }
    }
}
