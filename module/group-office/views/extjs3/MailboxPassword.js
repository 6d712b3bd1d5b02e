// Inserts the section into My account > Account. Joined with the scripts of all modules and minified by PHP: plain ES5 only.
// Everything else stands in views/goui/dist/Index.js, which is loaded as it is.
go.Modules.register("mailboxpassword", "mailboxpassword");

Ext.onReady(function () {
	var panel = go.usersettings.AccountSettingsPanel.prototype;
	var ours = go.modules.mailboxpassword.mailboxpassword;
	var submit = go.usersettings.UserSettingsDialog.prototype.submit;

	// The dialog's own Save stands where everybody sees it and knows nothing of our fields: what is typed there would be gone without a word.
	Ext.override(go.usersettings.UserSettingsDialog, {
		submit: function () {
			var panel = this.mailboxPasswordPanel;
			var form = panel && panel.mailboxPasswordUnmount && ours.unsaved && ours.unsaved(panel.mailboxPasswordBox.getEl().dom);
			if (!form) {
				submit.apply(this, arguments);
				return;
			}
			this.tabPanel.setActiveTab(panel);
			Ext.MessageBox.show({
				title: t("Password", "mailboxpassword", "mailboxpassword"),
				msg: t("section.consequence", "mailboxpassword", "mailboxpassword"),
				buttons: Ext.MessageBox.OKCANCEL,
				// Its own measure is wider than a phone.
				maxWidth: Math.min(600, window.innerWidth - 32),
				fn: function (answer) {
					if (answer === "ok") {
						form.requestSubmit();
					}
				}
			});
		}
	});

	Ext.override(go.usersettings.AccountSettingsPanel, {
		initComponent: panel.initComponent.createSequence(function () {
			if (!go.Modules.isAvailable("mailboxpassword", "mailboxpassword")) {
				return;
			}
			var fieldset = this.mailboxPasswordFieldset = new Ext.form.FieldSet({
				// Our word, as in the fields below: the host's own differs from it in some languages, and is Arabic in its Hebrew.
				title: t("Password", "mailboxpassword", "mailboxpassword"),
				hidden: true,
				items: [this.mailboxPasswordBox = new Ext.BoxComponent({ autoEl: { tag: "div" } })]
			});
			this.insert(this.items.indexOf(this.passwordFieldset) + 1, fieldset);
			this.mailboxPasswordBox.on("afterrender", this.mailboxPasswordEnter, this);
			fieldset.on("destroy", this.mailboxPasswordLeave, this);
		}),

		// After every load of the dialog, which also serves an administrator who edits somebody else.
		checkPasswordAvailable: panel.checkPasswordAvailable.createSequence(function (user) {
			if (!this.mailboxPasswordFieldset) {
				return;
			}
			var local = user.authenticators.indexOf("password") > -1;
			var dialog = this.findParentByType(go.usersettings.UserSettingsDialog);
			var open = !dialog || dialog.isVisible();
			var shown = user.id == go.User.id && !!ours.mount && !(local && ours.settings.localUsers === "never");
			this.mailboxPasswordFieldset.setVisible(shown);
			if (shown && local && ours.settings.localUsers === "instead") {
				this.passwordFieldset.setVisible(false);
			}
			if (!shown || !open) {
				this.mailboxPasswordLeave();
				return;
			}
			// A change of the user elsewhere loads the dialog again: what is typed here stays.
			if (this.mailboxPasswordUnmount) {
				return;
			}
			// Rendered with the fieldset, which is put off while that is hidden.
			this.mailboxPasswordFieldset.doLayout();
			this.mailboxPasswordLocal = local;
			this.mailboxPasswordWanted = true;
			if (this.mailboxPasswordBox.rendered) {
				this.mailboxPasswordEnter();
			}
			// The dialog is hidden when it is closed, not destroyed.
			if (dialog) {
				dialog.mailboxPasswordPanel = this;
				dialog.on("hide", this.mailboxPasswordLeave, this, { single: true });
			}
		}),

		// On a phone the dialog opens with its list: this tab is rendered when it is chosen.
		mailboxPasswordEnter: function () {
			if (!this.mailboxPasswordWanted || this.mailboxPasswordUnmount) {
				return;
			}
			var self = this;
			this.mailboxPasswordUnmount = ours.mount(this.mailboxPasswordBox.getEl().dom, function () {
				// A local user has the native fields; nobody else has, and is told.
				if (self.mailboxPasswordLocal) {
					self.mailboxPasswordFieldset.setVisible(false);
					self.passwordFieldset.setVisible(true);
				}
			}, function (answer) {
				// These are logged out, and their list would say otherwise right below.
				if (self.authorizedClientsFieldSet && answer.pending.indexOf("web") < 0) {
					self.authorizedClientsFieldSet.setVisible(false);
				}
			});
		},

		mailboxPasswordLeave: function () {
			this.mailboxPasswordWanted = false;
			if (this.mailboxPasswordUnmount) {
				this.mailboxPasswordUnmount();
				this.mailboxPasswordUnmount = null;
			}
		}
	});
});
