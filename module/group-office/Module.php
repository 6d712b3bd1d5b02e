<?php
namespace go\modules\mailboxpassword\mailboxpassword;

use go\core\model\Group;
use go\core\model\Module as ModuleModel;
use go\core\model\Permission;

/** Mailbox Password: the owner changes the mailbox's password, and every session ends. The work is done by a service. */
final class Module extends \go\core\Module
{
	public function getAuthor(): string
	{
		return 'Mailbox Password contributors';
	}

	/** Without a permission row nobody but administrators would see the section. */
	protected function beforeInstall(ModuleModel $model): bool
	{
		$model->permissions[Group::ID_INTERNAL] = (new Permission($model))->setRights(['mayRead' => true]);
		return parent::beforeInstall($model);
	}
}
