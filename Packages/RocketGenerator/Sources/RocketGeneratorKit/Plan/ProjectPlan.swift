/// All steps of a run as a value, computed from the files of the project and the content of its
/// folder.
struct ProjectPlan: Equatable {
    /// In the order of execution.
    var steps: [PlanStep] = []
    /// Changes of the methods since the previous run, one line each.
    var changes: [String] = []
    /// Warnings for the user, one line each.
    var warnings: [String] = []

    /// Computes the plan.
    ///
    /// - Parameters:
    ///   - files: the files of the project.
    ///   - state: the content of its folder.
    ///   - force: whether user files are written again, too; their old versions are kept.
    init(files: [ProjectFile], state: FolderState, force: Bool = false) {
        for file in files { add(file, state, force: force) }
        removeGenerated(except: Set(files.map(\.path)), state)
    }

    /// Removes the generated files of services and .proto files that no longer exist: they would not
    /// compile, or would declare names twice.
    private mutating func removeGenerated(except paths: Set<String>, _ state: FolderState) {
        for (path, old) in state.generated.sorted(by: { $0.key < $1.key })
        where !paths.contains(path) && ContentHash.isMarked(old) {
            var step = PlanStep(path: path, action: .remove, old: old, text: "")
            if ContentHash.verifiedText(old) == nil {
                let kept = state.freeName(beside: path)
                step.action = .keepAndRemove(kept)
                warnings.append("\(path) was changed by hand: kept as \(kept)")
            }
            steps.append(step)
        }
    }

    private mutating func add(_ file: ProjectFile, _ state: FolderState, force: Bool) {
        let old = state.text(file.path)
        var step = PlanStep(
            path: file.path, action: .create, old: old, text: file.text,
            isExecutable: file.isExecutable)
        if let old {
            step.text = text(of: file, over: old, force: force)
            step.action = action(for: file, old, step.text, state, force: force)
        }
        if case .keepAndRenew(let kept) = step.action {
            warnings.append("\(file.path) was changed by hand: kept as \(kept)")
        }
        steps.append(step)
    }

    /// Returns the new text of an existing file, with its line ends: of a shared file only its block
    /// changes.
    private mutating func text(of file: ProjectFile, over old: String, force: Bool) -> String {
        guard file.ownership == .shared, !force else {
            return LineEnds.of(old).applied(to: file.text)
        }
        if let renewed = GeneratedBlock.renew(old, from: file.text) { return renewed }
        warnings.append(
            "\(file.path) has lost its marks, so it was not changed: add what is new by hand; "
                + "--diff --force-user-files shows the generated version")
        return old
    }

    private func action(
        for file: ProjectFile, _ old: String, _ new: String, _ state: FolderState, force: Bool
    ) -> PlanStep.Action {
        if old == new { return .leaveEqual }
        switch file.ownership {
        case .user:
            return force ? .keepAndRenew(state.freeName(beside: file.path)) : .leaveUserFile
        case .shared:
            return force || GeneratedBlock.state(of: old) == .edited
                ? .keepAndRenew(state.freeName(beside: file.path)) : .renew
        case .generated:
            // `swift package generate-rocket` writes the same text without hash and record.
            let bare = ContentHash.verifiedText(new).map(ProtoRecord.removeRecord(from:))
            let isUnedited =
                ContentHash.verifiedText(old) != nil || bare == LineEnds.normalized(old)
            return isUnedited ? .renew : .keepAndRenew(state.freeName(beside: file.path))
        case .copy:
            let isUnedited = state.copiedHash(of: file.path) == ContentHash.of(old)
            return isUnedited ? .renew : .keepAndRenew(state.freeName(beside: file.path))
        }
    }
}

/// One step of a plan: the change of one file.
struct PlanStep: Equatable {
    enum Action: Equatable {
        /// Writes a new file.
        case create
        /// Writes a file whose generated text has changed.
        case renew
        /// Copies an edited file to this path, then writes it.
        case keepAndRenew(String)
        /// Removes a generated file that is no longer generated.
        case remove
        /// Moves an edited file that is no longer generated to this path.
        case keepAndRemove(String)
        /// Leaves a file that has the right text.
        case leaveEqual
        /// Leaves a file that belongs to the user.
        case leaveUserFile
    }

    var path: String
    var action: Action
    /// Text of the existing file; nil if there is none.
    var old: String?
    /// New text; not used for files that are left or removed.
    var text: String
    var isExecutable = false

    /// Whether the step writes or removes a file.
    var writes: Bool { action != .leaveEqual && action != .leaveUserFile }

    /// Whether the step removes the file from its path.
    var removes: Bool {
        switch action {
        case .remove, .keepAndRemove: true
        case .create, .renew, .keepAndRenew, .leaveEqual, .leaveUserFile: false
        }
    }
}
