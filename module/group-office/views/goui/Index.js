// Loaded for everyone, the log-in page included, and cached under Group-Office's version: tiny, and without hashes.
const settings = { basePath: "/mailbox-password", localUsers: "below" }; // Written by `mailbox-password install group-office`.

const TAGS = { cn: "zh-CN", no: "nb" };

/** Group-Office's pt_br is pt-BR. */
const tag = (iso) => TAGS[iso] ?? iso.replace(/_([a-z]+)$/, (_, region) => "-" + region.toUpperCase());

/** As the page is painted now. The user's setting may differ: it is tried out in Look & feel, was changed elsewhere, or is "system". */
const theme = () => (document.body.classList.contains("dark") ? "dark" : "light");

/** Mounts the section into `element` and answers how to unmount it. The service is asked only now; it may serve only other users. */
function mount(element, onNotServed, onChanged) {
	const place = element.ownerDocument.createElement("div");
	element.replaceChildren(place);
	let unmount, left = false;
	const bridge = {
		baseUrl: settings.basePath,
		csrfToken: () => groupofficeCore?.client?.CSRFToken ?? go.User.session?.CSRFToken,
		locale: tag(go.User.language ?? "en"),
		get theme() { return theme(); },
		onNotServed,
		onChanged,
		onSignedOut: () => { document.location = window.BaseHref ?? "./"; },
	};
	const load = (again) => import(settings.basePath + "/assets/loader.js" + again).then((loader) => {
		if (!left) unmount = loader.mount(place, bridge);
	});
	const failed = () => { if (!left) place.textContent = "\u26a0 " + t("section.loadFailed", "mailboxpassword", "mailboxpassword"); };
	// After an upgrade of the service an open page knows chunks that are gone: once, with the loader of now.
	place.addEventListener("mailbox-password-error", () => {
		unmount?.();
		load("?" + Date.now()).catch(failed);
		place.addEventListener("mailbox-password-error", failed);
	}, { once: true });
	load("").catch(() => load("?" + Date.now())).catch(failed);
	const repainted = new MutationObserver(() => { place.shadowRoot?.querySelector("[data-theme]")?.setAttribute("data-theme", theme()); });
	repainted.observe(document.body, { attributeFilter: ["class"] });

	return () => {
		left = true;
		repainted.disconnect();
		unmount?.();
		place.remove();
	};
}

/** The section's form where a new password has been typed and not sent; else undefined. */
function unsaved(element) {
	const form = element.firstElementChild?.shadowRoot?.querySelector("form");
	return [...form?.querySelectorAll("input[autocomplete=new-password]") ?? []].some((field) => field.value !== "") ? form : undefined;
}

Object.assign(Ext.ns("go.modules.mailboxpassword.mailboxpassword"), { mount, unsaved, settings });
